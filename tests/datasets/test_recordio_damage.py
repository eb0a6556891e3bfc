import struct

import numpy as np
import pytest
from record_bytes import JPEG, head, header, part, write, write_insightface

from lrfr_lightning.datasets.recordio import RecordIO
from lrfr_lightning.utils.errors import DataError


@pytest.fixture
def insightface(tmp_path):
    return write_insightface(tmp_path / "rec")


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (2, r"record 3 at offset 144 .*ends within it \(cut short\)"),
        (16, r"record 3 at offset 144 .*ends within it \(cut short\)"),
        (17, r"record 3 at offset 144 .*points beyond the file"),
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
    with pytest.raises(DataError, match=r"record 0 at offset 0 .*it claims 76 bytes"):
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
        (116, b"\0\0\0\0", "record 2 at offset 80 .*expected the magic 0xced7230a at 116"),
        (123, b"\0", r"record 2 at offset 80 .*expected part \(2, 3\), got part 0"),
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
        ("0\t0\n1\t4\U0001f600\n", "expected lines 'key<tab>offset'"),
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
    (insightface / "train.idx").write_text(index, "utf-8")
    with pytest.raises(DataError, match=message):
        RecordIO(insightface)


@pytest.mark.parametrize("name", ["train.rec", "train.idx"])
def test_a_missing_file(insightface, name):
    (insightface / name).unlink()
    with pytest.raises(DataError, match=rf"record file not found: .*{name}"):
        RecordIO(insightface)
    (insightface / name).mkdir()
    with pytest.raises(DataError, match=r"cannot read .*Is a directory"):
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
        (folder / name).unlink()  # a new file is faster than to write over the old one
        (folder / name).write_bytes(mutate(good[name], rng))
        try:
            faces = RecordIO(folder)
            images = [faces.image(i) for i in range(len(faces))]
            outcomes.append(all(image.ndim == 3 for image in images))
        except DataError:
            outcomes.append(False)
        (folder / name).unlink()
        (folder / name).write_bytes(good[name])
    assert 100 < sum(outcomes) < 1900
