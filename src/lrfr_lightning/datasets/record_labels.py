"""The label of every image record of a file, gathered without a Python loop."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.record_file import MAGIC, SMALLEST_RECORD, RecordFile

IMAGE_HEADER = struct.Struct("<IfQQ")
"""Head of an image record: flag, label, id, id2; ``flag`` float32 labels follow."""

_CHUNK = 1 << 14  # records; bounds how much of the file is mapped at a time


@dataclass(frozen=True)
class _Records:
    """Some records of a file: key and offset of each, int64 ``(n,)``."""

    file: RecordFile
    keys: NDArray[np.int64]
    offsets: NDArray[np.int64]

    def refuse(self, bad: NDArray[np.bool_], problem: str) -> None:
        """Raise the error of the first record where ``bad``, bool ``(n,)``, holds."""
        if bad.any():
            first = int(np.argmax(bad))
            raise self.file.damage(int(self.keys[first]), int(self.offsets[first]), problem)


def read_labels(
    file: RecordFile, keys: NDArray[np.int64], offsets: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The label of the records with these keys and offsets.

    Of a record with several labels the first counts.

    Returns:
        float32 ``(N,)``, whole numbers as in the file.

    Raises:
        DataError: an offset lies beyond the file, or a record is damaged, cut short or has
            a label that is no integer; names its key and offset.
    """
    labels = np.empty(len(keys), np.float32)
    for start in range(0, len(keys), _CHUNK):
        part = slice(start, start + _CHUNK)
        labels[part] = _labels(_Records(file, keys[part], offsets[part]))
    return labels


def _labels(records: _Records) -> NDArray[np.float32]:
    offsets, size = records.offsets, records.file.size
    records.refuse(
        (offsets < 0) | (offsets > size - SMALLEST_RECORD), "the index points beyond the file"
    )
    records.refuse(offsets % 4 != 0, "the index points between records")
    # uint32 [n, 9]: magic, length, flag, label, id, id2, first of several labels
    words = np.memmap(records.file.path, "<u4", "r", shape=(size // 4,))
    first = np.minimum(offsets[:, None] // 4 + np.arange(9), len(words) - 1)
    fields = np.asarray(words[first])
    _check(records, fields)
    several = fields[:, 2] > 0
    labels = np.where(several, fields[:, 8], fields[:, 3]).astype("<u4").view("<f4")
    for i in np.flatnonzero(fields[:, 1] >> 29):
        labels[i] = _label_in_parts(records.file, int(records.keys[i]), int(offsets[i]))
    whole = np.isfinite(labels) & (labels == np.rint(labels)) & (np.abs(labels) < 2**53)
    records.refuse(~whole, "its label is no integer")
    return labels


def _check(records: _Records, fields: NDArray[np.uint32]) -> None:
    """Refuse whole records with a wrong head, and records that do not start one."""
    records.refuse(fields[:, 0] != MAGIC, f"expected the magic {MAGIC:#x} at its start")
    kind, length = fields[:, 1] >> 29, (fields[:, 1] & 0x1FFFFFFF).astype(np.int64)
    records.refuse(kind > 1, "the index points into the middle of it")
    records.refuse(
        records.offsets + 8 + length > records.file.size, "the file ends within it (cut short)"
    )
    head = IMAGE_HEADER.size + 4 * fields[:, 2].astype(np.int64)
    records.refuse((kind == 0) & (length <= head), "it holds no image")


def _label_in_parts(file: RecordFile, key: int, offset: int) -> float:
    start = file.start(key, offset, IMAGE_HEADER.size + 4)
    if len(start) < IMAGE_HEADER.size + 4:
        raise file.damage(key, offset, "it holds no image")
    flag, label, _, _ = IMAGE_HEADER.unpack_from(start)
    several = struct.unpack_from("<f", start, IMAGE_HEADER.size)[0]
    return float(several if flag > 0 else label)
