"""What a page claims is looked at before Arrow makes room for it."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_lightning.datasets.parquet import ParquetFaces
from lrfr_lightning.datasets.parquet_pages import PageBounds
from lrfr_lightning.datasets.thrift import read_struct
from lrfr_lightning.utils.errors import DataError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

TWO_GIGABYTES = Path(__file__).parents[2] / "fuzz/corpus/parquet/page-of-two-gigabytes/a.parquet"


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [False, True])
def test_pages_of_every_kind_are_walked_to_their_end(
    codec: str, version: str, dictionary: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.parquet"
    images = [np.random.default_rng(i).bytes(900) for i in range(40)]
    table = pa.table({"image": [{"bytes": i, "path": "x"} for i in images], "label": ["a"] * 40})
    pq.write_table(table, path, row_group_size=16, compression=codec, use_dictionary=dictionary,
                   data_page_version=version, data_page_size=4096, write_batch_size=2)  # fmt: skip
    bounds, metadata = PageBounds(path), pq.read_metadata(path)
    for group, columns in enumerate(bounds._groups):
        assert len(columns) == 3
        for i, pages in enumerate(columns):
            column = metadata.row_group(group).column(i)
            begin = column.dictionary_page_offset or column.data_page_offset
            assert pages == (begin, begin + column.total_compressed_size)
            bounds.check(i, range(group, group + 1))
    assert [ParquetFaces(path).encoded(i) for i in range(40)] == images


def test_a_page_that_claims_two_gigabytes_is_refused_unread() -> None:
    with pytest.raises(DataError, match=r"claims to unpack from \d+ to \d{10,} bytes, expected"):
        ParquetFaces(TWO_GIGABYTES).encoded(0)


def test_a_page_that_is_a_bomb_is_refused_and_a_long_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    faces = {"zeros": bytes(100_000_000), "noise": np.random.default_rng(0).bytes(70_000_000)}
    for name, image in faces.items():
        table = pa.table({"image": [image], "label": [name]})
        pq.write_table(table, path, compression="zstd", write_statistics=False)
        if name == "zeros":
            with pytest.raises(DataError, match="to 100000\\d+ bytes, expected at most 256 times"):
                PageBounds(path).check(0, range(1))
        else:
            PageBounds(path).check(0, range(1))


@pytest.mark.filterwarnings("ignore:.*MiB in one row group")
def test_a_column_under_another_name_is_looked_at_too(tmp_path: Path) -> None:
    """Arrow reads columns by their place, whatever name their own description gives."""
    path = tmp_path / "a.parquet"
    table = pa.table({"image": [bytes(100_000_000)], "label": ["a"]})
    pq.write_table(table, path, compression="zstd", write_statistics=False, store_schema=False)
    head, _, tail = path.read_bytes().rpartition(b"image")
    path.write_bytes(head + b"other" + tail)
    assert pq.ParquetFile(path).read_row_group(0, ["image"]).num_rows == 1
    with pytest.raises(DataError, match="a page of column 0, row group 0 claims to unpack"):
        ParquetFaces(path).encoded(0)


def test_pages_that_overlap_the_next_column_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": [b"x"], "label": ["a"]}), path)
    bounds = PageBounds(path)
    (begin, end), _ = bounds._groups[0]
    bounds._groups[0][0] = (begin, end - 1)
    with pytest.raises(DataError, match=r"a page of column 0, row group 0 claims \d+ bytes"):
        bounds.check(0, range(1))
    bounds._groups[0][0] = (path.stat().st_size - 3, path.stat().st_size)
    with pytest.raises(DataError, match=r"cannot read .*a page of column 0, row group 0: "):
        bounds.check(0, range(1))


# field 1: int32 -3; field 2: true; field 20 (long form): text; field 21: [1, 2] as bytes;
# field 22: a struct with field 1: double
COMPACT = bytes.fromhex("1505 11 0828 03616263 1923 0102 1c 17 0000000000000000 00 00")


def test_values_of_the_compact_protocol() -> None:
    fields, end = read_struct(COMPACT, 0)
    assert fields == {1: -3, 2: True, 20: b"abc", 21: [1, 2], 22: {1: 0}}
    assert end == len(COMPACT)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (COMPACT[:-3], "it ends within a header"),
        (bytes([0x15]) + b"\xff" * 12, "more than 70 bits"),
        (bytes([0x1C]) * 40, "within more than 16"),
        (bytes.fromhex("19 f3 ffffff7f"), "a list of 268435455 entries in 6 bytes"),
        (bytes.fromhex("18 ffff03 61"), "a text of 65535 bytes in 5"),
        (bytes([0x1B, 0]), "a field of type 11"),
    ],
)
def test_what_is_no_struct(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_struct(data, 0)
