import multiprocessing
import pickle
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from drawn_faces import DrawnFaces

from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.encoded import EncodedFaces
from lrfr_lightning.datasets.record_file import as_record
from lrfr_lightning.datasets.recordio import RecordIO, write_recordio
from lrfr_lightning.utils.errors import ConfigError, DataError

MAGIC = bytes.fromhex("0a23d7ce")
JPEG = encode_jpeg(np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8))


def part(kind, payload):
    assert len(payload) < 2**29
    length = struct.pack("<I", kind * 2**29 + len(payload))
    return MAGIC + length + payload + b"\0" * ((4 - len(payload) % 4) % 4)


def head(label, flag=0):
    return struct.pack("<IfQQ", flag, label, 7, 0)


def write(folder, records, first_key=0):
    folder.mkdir(exist_ok=True)
    lines, rec = [], b""
    for key, record in enumerate(records, start=first_key):
        lines.append(f"{key}\t{len(rec)}\n")
        rec += record
    (folder / "train.rec").write_bytes(rec)
    (folder / "train.idx").write_text("".join(lines))
    return folder


def header(end, last):
    return part(0, head(0, flag=2) + struct.pack("<ff", end, last))


@pytest.fixture
def insightface(tmp_path):
    """Images 1..3 (the second with the magic twice in it), and a record of an identity."""
    records = [
        header(4, 5),
        part(0, head(1) + b"\xff\xd8first"),
        part(1, head(0) + b"\xff\xd8\1\2") + part(2, b"abcd") + part(3, b"rest!"),
        part(0, head(0, flag=2) + struct.pack("<ff", 1, 9) + b"\xff\xd8third"),
        part(0, head(0, flag=2) + struct.pack("<ff", 1, 4)),
    ]
    return write(tmp_path / "rec", records)


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


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (1, r"record 3 at offset 144 .*cut short"),
        (30, r"record 3 at offset 144 .*cut short"),
        (48, r"record 3 at offset 144 .*points beyond the file"),
        (64, r"record 3 at offset 144 .*points beyond the file"),
    ],
)
def test_a_truncated_file_names_record_and_offset(insightface, cut, message):
    rec = insightface / "train.rec"
    data = rec.read_bytes()[:-40]  # without the record of the identity
    rec.write_bytes(data[: len(data) - cut])
    with pytest.raises(DataError, match=message):
        RecordIO(insightface)


def test_a_cut_within_the_last_part_is_found_when_it_is_read(tmp_path):
    folder = write(tmp_path, [part(1, head(0) + b"abcd") + part(3, b"x" * 40)])
    rec = folder / "train.rec"
    rec.write_bytes(rec.read_bytes()[:-8])
    with pytest.raises(DataError, match="record 0 at offset 0 .*it claims 76 bytes"):
        RecordIO(folder).encoded(0)


@pytest.mark.parametrize(
    ("at", "data", "message"),
    [
        (40, b"\0", "record 1 at offset 40 .*expected the magic 0xced7230a"),
        (44, b"\xff\xff\xff\x1f", "record 1 at offset 40 .*cut short"),
        (44, b"\x10\0\0\0", "record 1 at offset 40 .*no image"),
        (44, b"\x1f\0\0\x40", "record 1 at offset 40 .*into the middle"),
        (48, b"\xff\xff\xff\xff", "record 1 at offset 40 .*no image"),
        (52, struct.pack("<f", 0.5), "record 1 at offset 40 .*no integer"),
        (52, struct.pack("<f", np.nan), "record 1 at offset 40 .*no integer"),
        (32, struct.pack("<f", 900), "announces 899 images, the index lists 4"),
        (32, struct.pack("<f", np.inf), "record 0 at offset 0 .*announces inf"),
        (0, b"\0", "record 0 at offset 0 .*expected the magic"),
        (112, b"\0\0\0\0", "record 2 at offset 80 .*expected the magic 0xced7230a at 112"),
        (119, b"\0", r"record 2 at offset 80 .*expected part \(2, 3\), got part 0"),
    ],
)
def test_a_damaged_file_names_record_and_offset(insightface, at, data, message):
    rec = insightface / "train.rec"
    old = rec.read_bytes()
    rec.write_bytes(old[:at] + data + old[at + len(data) :])
    with pytest.raises(DataError, match=message):
        [RecordIO(insightface).encoded(i) for i in range(3)]


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("", "expected lines 'key<tab>offset'"),
        ("0\n1\n", "2 lines of 1 numbers"),
        ("0\t0\n1\tx\n", "expected lines 'key<tab>offset', got .*row 1"),
        ("0\t0\n1\t4.5\n", "expected lines 'key<tab>offset'"),
        ("0\t0\n1\t99999999999999999999\n", "expected lines 'key<tab>offset'"),
        ("1\t40\n1\t80\n", "lists key 1 twice"),
        ("1\t40\n2\t4000\n", "record 2 at offset 4000 .*index points beyond the file"),
        ("1\t-40\n", "record 1 at offset -40 .*index points beyond the file"),
        ("0\t-40\n", "record 0 at offset -40 .*file ends within it"),
        ("1\t42\n", "record 1 at offset 42 .*index points between records"),
        ("1\t40\n" * 1000, "more lines than its .rec file"),
        ("0\t0\n1\t40\n2\t80\n", "announces 3 images, the index lists 2"),
        ("0\t0\n", "announces 3 images, the index lists 0"),
    ],
)
def test_a_wrong_index(insightface, index, message):
    (insightface / "train.idx").write_text(index)
    with pytest.raises(DataError, match=message):
        RecordIO(insightface)


@pytest.mark.parametrize("name", ["train.rec", "train.idx"])
def test_a_missing_file(insightface, name):
    (insightface / name).unlink()
    with pytest.raises(DataError, match=rf"record file not found: .*{name}"):
        RecordIO(insightface)
    (insightface / name).mkdir()
    with pytest.raises(DataError, match="cannot read"):
        RecordIO(insightface)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2,8,9", "says 2 identities of 8x9 px, the records have 2 of 8x8 px"),
        ("3,8,8", "says 3 identities"),
        ("8,8", "expected 'classes,height,width'"),
        ("a,b,c", "expected 'classes,height,width'"),
    ],
)
def test_property_is_checked(tmp_path, text, message):
    folder = write(tmp_path, [part(0, head(label) + JPEG) for label in (0, 1)])
    (folder / "property").write_text("2,8,8\n")
    assert RecordIO(folder).num_classes == 2
    (folder / "property").write_text(text)
    with pytest.raises(DataError, match=message):
        RecordIO(folder)


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
    lines = np.char.mod("%d\t%d", np.stack([np.arange(count), np.arange(count) * 36], 1).tolist())
    (folder / "train.idx").write_text("\n".join(lines.tolist()))
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


def mutate(data, rng):
    data = bytearray(data)
    at = int(rng.integers(len(data)))
    match rng.integers(4):
        case 0:
            del data[at:]
        case 1:
            del data[at : at + int(rng.integers(1, 9))]
        case 2:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        case 3:
            for _ in range(int(rng.integers(1, 5))):
                data[int(rng.integers(len(data)))] = rng.integers(256)
    return bytes(data)


def test_damage_of_any_kind_reads_or_is_a_data_error(tmp_path):
    records = [header(4, 4), part(0, head(0) + JPEG), part(0, head(0, 1) + head(1)[:4] + JPEG)]
    records += [part(1, head(1) + JPEG[: len(JPEG) // 4 * 4]) + part(3, b"rest")]
    folder = write(tmp_path, records)
    (folder / "property").write_text("2,8,8\n")
    good = {name: (folder / name).read_bytes() for name in ("train.rec", "train.idx", "property")}
    rng, outcomes = np.random.default_rng(3), []
    for _ in range(2000):
        name = rng.choice(list(good), p=[0.6, 0.3, 0.1])
        (folder / name).write_bytes(mutate(good[name], rng))
        try:
            faces = RecordIO(folder)
            images = [faces.image(i) for i in range(len(faces))]
            outcomes.append(all(image.ndim == 3 for image in images))
        except DataError:
            outcomes.append(False)
        (folder / name).write_bytes(good[name])
    assert 100 < sum(outcomes) < 1900
