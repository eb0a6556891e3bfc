import multiprocessing
import pickle
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from drawn_faces import DrawnFaces
from record_bytes import JPEG, MAGIC, head, part, write, write_insightface

from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.encoded import EncodedFaces
from lrfr_lightning.datasets.record_file import as_record
from lrfr_lightning.datasets.recordio import RecordIO, write_recordio
from lrfr_lightning.utils.errors import ConfigError, DataError


@pytest.fixture
def insightface(tmp_path):
    return write_insightface(tmp_path / "rec")


def test_reads_a_file_written_byte_by_byte(insightface):
    faces = RecordIO(insightface)
    assert [faces.encoded(i) for i in range(len(faces))] == [
        b"\xff\xd8first",
        b"\xff\xd8\1\2" + MAGIC + b"abcd" + MAGIC + b"rest!",
        b"\xff\xd8third",
    ]
    assert faces.labels.tolist() == [1, 0, 1]
    assert faces.labels.dtype == np.int64
    assert faces.identities == ["0", "1"]
    assert "record 2 of" in faces.describe(1)
    assert faces.encoded(-1) == b"\xff\xd8third"


def test_without_header_every_key_is_an_image(tmp_path):
    records = [part(0, head(label) + JPEG) for label in (30, -2, 30)]
    faces = RecordIO(write(tmp_path, records))
    assert faces.labels.tolist() == [1, 0, 1]
    assert faces.identities == ["-2", "30"]
    assert faces.image(2).shape == (8, 8, 3)


def test_label_in_the_second_part(tmp_path):
    magic_as_label = struct.unpack("<f", MAGIC)[0]
    flag = struct.pack("<I", 0)
    rest = struct.pack("<QQ", 1, 0) + JPEG
    faces = RecordIO(write(tmp_path, [part(1, flag) + part(3, rest)]))
    assert faces.identities == [str(int(magic_as_label))]
    assert faces.encoded(0) == JPEG


def test_an_image_with_two_labels_at_key_0_is_no_header(tmp_path):
    record = part(0, head(0, flag=2) + struct.pack("<ff", 3, 4) + JPEG)
    faces = RecordIO(write(tmp_path, [record]))
    assert faces.identities == ["3"]
    assert faces.encoded(0) == JPEG


def test_index_in_any_order(insightface):
    index = insightface / "train.idx"
    lines = index.read_text().splitlines(keepends=True)
    expected = RecordIO(insightface).labels
    index.write_text("".join(reversed(lines)))
    assert RecordIO(insightface).labels.tolist() == expected.tolist()


class Stored(EncodedFaces):
    """Given bytes as images."""

    def __init__(self, images):
        self.images = images
        self.labels = np.arange(len(images))
        self.identities = [str(i) for i in range(len(images))]

    def encoded(self, index):
        return self.images[index]

    def describe(self, index):
        return f"image {index}"


def test_round_trip_keeps_jpeg_bytes_even_with_the_magic(tmp_path):
    rng = np.random.default_rng(2)
    tails = [b"", MAGIC, MAGIC * 3, b"x" + MAGIC, b"abcde" + MAGIC * 2, b"ab" + MAGIC + b"c"]
    tails += [b"".join(rng.choice([MAGIC, b"a", b"bc"], rng.integers(9))) for _ in range(60)]
    images = [JPEG + tail for tail in tails]
    write_recordio(Stored(images), tmp_path / "out")
    faces = RecordIO(tmp_path / "out")
    assert [faces.encoded(i) for i in range(len(faces))] == images
    assert faces.labels.tolist() == list(range(len(images)))
    assert (tmp_path / "out" / "property").read_text() == f"{len(images)},8,8\n"


def test_writes_the_bytes_of_the_format(tmp_path):
    payload = head(0) + JPEG + b"\0" * (-len(JPEG) % 4) + MAGIC + b"xyz"
    cut = len(payload) - 7
    assert as_record(payload) == part(1, payload[:cut]) + part(3, b"xyz")
    assert as_record(MAGIC * 2) == part(1, b"") + part(2, b"") + part(3, b"")
    assert as_record(b"a" + MAGIC) == part(0, b"a" + MAGIC)
    write_recordio(Stored([JPEG]), tmp_path / "out")
    first = struct.pack("<IfQQ", 0, 0.0, 1, 0) + JPEG
    begin = part(0, struct.pack("<IfQQff", 2, 0.0, 0, 0, 2.0, 2.0))
    assert (tmp_path / "out" / "train.rec").read_bytes() == begin + part(0, first)
    assert (tmp_path / "out" / "train.idx").read_text() == "0\t0\n1\t40\n"


def test_writes_pixels_as_jpeg(tmp_path):
    drawn = DrawnFaces(["a", "b"], side=16)
    write_recordio(drawn, tmp_path / "out", quality=100)
    faces = RecordIO(tmp_path / "out")
    assert faces.labels.tolist() == [0, 0, 1, 1]
    assert faces.encoded(0) == encode_jpeg(drawn.image(0), 100)


def test_labels_without_images_leave_no_gap(tmp_path):
    drawn = DrawnFaces(["a", "b", "c"])
    drawn.labels = np.array([0, 0, 2, 2, 2, 2])
    write_recordio(drawn, tmp_path / "out")
    assert RecordIO(tmp_path / "out").labels.tolist() == [0, 0, 1, 1, 1, 1]


def test_a_failed_write_leaves_nothing(tmp_path):
    faces = Stored([JPEG, b"no image"])
    with pytest.raises(DataError, match="cannot decode image 1"):
        write_recordio(faces, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_refuses_what_it_cannot_write(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"quality of 1\.\.100, got 0"):
        write_recordio(DrawnFaces(["a"]), tmp_path / "out", quality=0)
    with pytest.raises(DataError, match="with images to write"):
        write_recordio(DrawnFaces([]), tmp_path / "out")
    monkeypatch.setattr("lrfr_lightning.datasets.recordio._COUNTABLE", 2)
    with pytest.raises(DataError, match="counts up to 1 images, got 2; write Parquet"):
        write_recordio(DrawnFaces(["a"]), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_reads_in_other_processes(insightface, method):
    faces = RecordIO(insightface)
    expected = faces.encoded(1)  # the file is open now
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(faces.encoded, [1, 1]) == [expected, expected]
    assert faces.encoded(1) == expected


def test_reads_in_threads(tmp_path):
    images = [JPEG + bytes([i]) for i in range(100)]
    write_recordio(Stored(images), tmp_path / "out")
    faces = RecordIO(tmp_path / "out")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(faces.encoded, list(range(100)) * 5)) == images * 5


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """200,000 records of 36 bytes, made by numpy."""
    folder = tmp_path_factory.mktemp("large")
    count = 200_000
    kind = [("magic", "<u4"), ("length", "<u4"), ("flag", "<u4"), ("label", "<f4")]
    records = np.zeros(count, [*kind, ("ids", "<u8", 2), ("image", "<u4")])
    records["magic"], records["length"] = 0xCED7230A, 28
    records["label"] = np.arange(count) // 20
    records.tofile(folder / "train.rec")
    lines = (f"{key}\t{key * 36}" for key in range(count))
    (folder / "train.idx").write_text("\n".join(lines))
    return folder


def test_opens_many_records_fast(large):
    start = time.perf_counter()
    faces = RecordIO(large)
    assert time.perf_counter() - start < 2
    assert (faces.labels == np.arange(200_000) // 20).all()


def test_pickles_small(large):
    faces = RecordIO(large)
    faces.encoded(0)
    data = pickle.dumps(faces)
    assert len(data) < 30 * len(faces)
    assert pickle.loads(data).encoded(199_999) == b"\0\0\0\0"
