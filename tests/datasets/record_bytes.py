"""RecordIO files written byte by byte, from the description of the format."""

import struct

import numpy as np

from lrfr_lightning.datasets.codec import encode_jpeg

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


def write_insightface(folder):
    """Images 1..3 (the second with the magic twice in it), and a record of an identity."""
    records = [
        header(4, 5),
        part(0, head(1) + b"\xff\xd8first"),
        part(1, head(0) + b"\xff\xd8\1\2") + part(2, b"abcd") + part(3, b"rest!"),
        part(0, head(0, flag=2) + struct.pack("<ff", 1, 9) + b"\xff\xd8third"),
        part(0, head(0, flag=2) + struct.pack("<ff", 1, 4)),
    ]
    return write(folder, records)
