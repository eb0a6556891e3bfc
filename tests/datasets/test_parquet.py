import multiprocessing
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from drawn_faces import DrawnFaces

from lrfr_lightning.datasets import parquet, parquet_shard
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.parquet import ParquetFaces, write_parquet
from lrfr_lightning.utils.errors import ConfigError, DataError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

IMAGES = [bytes([i]) * (i + 1) for i in range(10)]
STRUCTS = [{"bytes": data, "path": f"{i}.jpg"} for i, data in enumerate(IMAGES)]
LABELS = [3, 3, 1, 10, 1, 10, 10, 3, 1, 1]


def write(path, images, labels, label_type=None, row_group_size=3, **names):
    labels = pa.array(labels, label_type)
    image = images if isinstance(images, pa.Array) else pa.array(images)
    columns = {names.get("label", "label"): labels, names.get("image", "image"): image}
    pq.write_table(pa.table(columns), path, row_group_size=row_group_size)
    return path


def stored(faces):
    return [faces.encoded(i) for i in range(len(faces))]


@pytest.mark.parametrize(
    "images",
    [IMAGES, STRUCTS, pa.array(IMAGES, pa.large_binary())],
    ids=["plain", "struct", "large"],
)
@pytest.mark.parametrize(
    "label_type",
    [pa.int64(), pa.uint8(), pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())],
    ids=str,
)
def test_reads_both_forms_of_images_and_labels(tmp_path, images, label_type):
    labels = LABELS if pa.types.is_integer(label_type) else [str(label) for label in LABELS]
    faces = ParquetFaces(write(tmp_path / "a.parquet", images, labels, label_type))
    assert stored(faces) == IMAGES
    assert faces.identities == ["1", "3", "10"]
    assert faces.labels.tolist() == [1, 1, 0, 2, 0, 2, 2, 1, 0, 0]
    assert faces.labels.dtype == np.int64
    assert [faces.encoded(i) for i in (9, 0, 5, -1)] == [IMAGES[i] for i in (9, 0, 5, 9)]


def test_joins_shards_by_name(tmp_path):
    write(tmp_path / "b.parquet", IMAGES[4:], ["x", "y", "x", "x", "y", "y"], row_group_size=4)
    write(tmp_path / "a.parquet", STRUCTS[:4], ["y", "y", "a", "y"])
    write(tmp_path / "aa.parquet", pa.array([], pa.binary()), [], pa.string())
    faces = ParquetFaces(tmp_path)
    assert stored(faces) == IMAGES
    assert faces.identities == ["a", "x", "y"]
    assert faces.labels.tolist() == [2, 2, 0, 2, 1, 2, 1, 1, 2, 2]
    assert faces.describe(9) == f"row 5 of {tmp_path / 'b.parquet'}"


def test_columns_by_name(tmp_path):
    path = write(tmp_path / "a.parquet", STRUCTS, LABELS, image="face", label="person")
    assert stored(ParquetFaces(path, "face", "person")) == IMAGES
    with pytest.raises(DataError, match="expected a column 'image', the file has person, face"):
        ParquetFaces(path)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (["text"], [1], "'image' .*, it is string"),
        ([{"path": "a.jpg"}], [1], "'image' .*, it is struct<path: string>"),
        ([b""], [0.5], "integers or text as labels in column 'label', it is double"),
        ([b"", b""], [1, None], "1 rows of .* have no label"),
        (pa.array([], pa.binary()), np.zeros(0, int), r"a\.parquet and 0 more .* have no row"),
        ([b""], pa.array([2**63], pa.uint64()), None),
    ],
)
def test_wrong_columns(tmp_path, images, labels, message):
    path = write(tmp_path / "a.parquet", images, labels)
    if message is None:
        assert ParquetFaces(path).identities == [str(2**63)]
        return
    with pytest.raises(DataError, match=message):
        ParquetFaces(path)


@pytest.mark.parametrize("images", [[b"a", None], [STRUCTS[0], None], [STRUCTS[0], {"path": "b"}]])
def test_an_image_without_bytes_is_named(tmp_path, images):
    faces = ParquetFaces(write(tmp_path / "a.parquet", images, [1, 2]))
    with pytest.raises(DataError, match=r"row 1 of .*a\.parquet holds no image bytes"):
        faces.encoded(1)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="not found"):
        ParquetFaces(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"expected \*\.parquet files in .*, found none"):
        ParquetFaces(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"no parquet at all")
    with pytest.raises(DataError, match=r"cannot read Parquet file .*a\.parquet"):
        ParquetFaces(tmp_path)


def test_a_file_that_is_cut_or_lost_later(tmp_path):
    path = write(tmp_path / "a.parquet", IMAGES, LABELS)
    faces = ParquetFaces(path)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(DataError, match="cannot read Parquet file"):
        faces.encoded(9)
    path.unlink()
    with pytest.raises(DataError, match="cannot read Parquet file"):
        faces.encoded(9)


def test_large_row_groups(tmp_path, monkeypatch):
    path = write(tmp_path / "a.parquet", IMAGES, LABELS)
    monkeypatch.setattr(parquet, "_SLOW_GROUP_BYTES", 10)
    with pytest.warns(UserWarning, match="in one row group, and all of it is read"):
        ParquetFaces(path)
    monkeypatch.setattr(parquet_shard, "MAX_GROUP_BYTES", 10)
    with pytest.raises(DataError, match="in one row group, expected at most 10"):
        ParquetFaces(path)


def test_without_pyarrow(tmp_path, monkeypatch):
    path = write(tmp_path / "a.parquet", IMAGES, LABELS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r'pip install "lrfr_lightning\[parquet\]"'):
        ParquetFaces(path)
    with pytest.raises(ConfigError, match=r'pip install "lrfr_lightning\[parquet\]"'):
        write_parquet(DrawnFaces(["a"]), tmp_path / "out")


def test_reads_a_row_group_once(tmp_path, monkeypatch):
    faces = ParquetFaces(write(tmp_path / "a.parquet", IMAGES, LABELS, row_group_size=5))
    reads = []
    images = parquet_shard.Shard.images
    monkeypatch.setattr(
        parquet_shard.Shard,
        "images",
        lambda shard, group: reads.append(group) or images(shard, group),
    )
    assert stored(faces) == IMAGES
    assert reads == [0, 1]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_reads_in_other_processes(tmp_path, method):
    faces = ParquetFaces(write(tmp_path / "a.parquet", STRUCTS, LABELS))
    assert stored(faces) == IMAGES
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(faces.encoded, range(10)) == IMAGES


def test_reads_in_threads(tmp_path):
    faces = ParquetFaces(write(tmp_path / "a.parquet", IMAGES, LABELS))
    order = np.random.default_rng(0).integers(0, 10, 500).tolist()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(faces.encoded, order)) == [IMAGES[i] for i in order]


def test_pickles_without_images(tmp_path):
    big = [bytes(100_000)] * 10
    faces = ParquetFaces(write(tmp_path / "a.parquet", big, LABELS))
    faces.encoded(0)
    data = pickle.dumps(faces)
    assert len(data) < 5000
    assert pickle.loads(data).encoded(9) == big[9]


def test_writes_files_and_row_groups_of_the_given_size(tmp_path):
    drawn = DrawnFaces(["eve", "bob", "al"])
    drawn.labels = np.array([0, 1, 2, 2, 1, 0])
    write_parquet(drawn, tmp_path / "out", rows_per_file=4, row_group=3)
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == ["00000-of-00002.parquet", "00001-of-00002.parquet"]
    metadata = pq.read_metadata(files[0])
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [3, 1]
    assert metadata.row_group(0).column(0).statistics is None
    faces = ParquetFaces(tmp_path / "out")
    names = [faces.identities[label] for label in faces.labels]
    assert names == ["eve", "bob", "al", "al", "bob", "eve"]
    assert faces.encoded(5) == encode_jpeg(drawn.image(5))


def test_refuses_what_it_cannot_write(tmp_path):
    with pytest.raises(ConfigError, match="1 row or more, got rows_per_file=1 and row_group=0"):
        write_parquet(DrawnFaces(["a"]), tmp_path / "out", 1, 0)
    with pytest.raises(DataError, match="with images to write"):
        write_parquet(DrawnFaces([]), tmp_path / "out")
    with pytest.raises(DataError, match=r"as UTF-8 text, '\\udc80' is none"):
        write_parquet(DrawnFaces(["\udc80"]), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_damage_of_any_kind_reads_or_is_a_data_error(tmp_path):
    path = write(tmp_path / "a.parquet", STRUCTS, LABELS)
    good, rng = path.read_bytes(), np.random.default_rng(0)
    for i in range(1000):
        data = bytearray(good)
        for at in rng.integers(0, len(data), 3):
            data[at] = rng.integers(256)
        damaged = tmp_path / f"{i}.parquet"
        damaged.write_bytes(data)
        with suppress(DataError):
            stored(ParquetFaces(damaged))
        damaged.unlink()
