"""The RecordIO container: numbered byte strings in one file, found by an index of offsets.

A record is ``[u32 magic][u32 kind << 29 | length][payload][zeros up to 4 bytes]``, little endian.
Where a payload has the magic at a multiple of 4 bytes, it is cut there, without the magic, into
parts of kind 1 (first), 2 (middle) and 3 (last); kind 0 is a whole record.
Source: dmlc RecordIO, the format of MXNet.
"""

import os
import struct
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.encoded import MAX_IMAGE_BYTES
from lrfr_lightning.utils.errors import DataError

MAGIC = 0xCED7230A
_MAGIC_BYTES = struct.pack("<I", MAGIC)
_PREFIX = struct.Struct("<II")
_LONGEST_INDEX_LINE = 44
SMALLEST_RECORD = 32
"""Bytes of the shortest record: prefix of 8 and image header of 24."""


class RecordFile:
    """Reads records by offset; safe in threads and forks, and reopens after pickling.

    Attributes:
        path: the ``.rec`` file.
        size: its length, bytes.
    """

    def __init__(self, path: Path) -> None:
        """Remember the file; it is kept open from the first read on.

        Raises:
            DataError: the file is missing or may not be read.
        """
        self.path = path
        try:
            with path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise DataError(f"cannot read record file {path}: {error.strerror}") from None

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "size": self.size}

    def payload(self, key: int, offset: int) -> bytes:
        """The payload of the record at ``offset``, bytes; parts are joined.

        Raises:
            DataError: the record is damaged or cut short; names ``key`` and ``offset``.
        """
        return _MAGIC_BYTES.join(self._parts(key, offset))

    def start(self, key: int, offset: int, count: int) -> bytes:
        """The first ``count`` bytes of a payload, or all of a shorter one; errors as `payload`."""
        data = b""
        for part in self._parts(key, offset):
            data += part + _MAGIC_BYTES
            if len(data) >= count + 4:
                break
        return data[:-4][:count]

    def damage(self, key: int, offset: int, problem: str) -> DataError:
        """The error to raise for a record."""
        return DataError(
            f"record {key} at offset {offset} of {self.path} ({self.size} bytes) is damaged: "
            f"{problem}; copy or download the .rec and .idx files again"
        )

    def _parts(self, key: int, offset: int) -> Iterator[bytes]:
        expected = (0, 1)
        at, total = offset, 0
        while True:
            kind, length = self._prefix(key, offset, at)
            if kind not in expected:
                raise self.damage(key, offset, f"expected part {expected}, got part {kind}")
            total += length + 4
            if total > MAX_IMAGE_BYTES or at + 8 + length > self.size:
                raise self.damage(key, offset, f"it claims {total} bytes")
            yield self._read(key, offset, at + 8, length)
            if kind in (0, 3):
                return
            at, expected = at + 8 + length + -length % 4, (2, 3)

    def _prefix(self, key: int, offset: int, at: int) -> tuple[int, int]:
        magic, word = _PREFIX.unpack(self._read(key, offset, at, 8))
        if magic != MAGIC:
            raise self.damage(key, offset, f"expected the magic {MAGIC:#x} at {at}, got {magic:#x}")
        return word >> 29, word & 0x1FFFFFFF

    def _read(self, key: int, offset: int, at: int, count: int) -> bytes:
        try:
            data = os.pread(self._opened.number, count, at) if at >= 0 else b""
        except OSError as error:
            raise self.damage(key, offset, f"reading it failed ({error.strerror})") from None
        if len(data) != count:
            raise self.damage(key, offset, f"the file ends within it (expected {count} at {at})")
        return data

    @cached_property
    def _opened(self) -> "_Descriptor":
        return _Descriptor(self.path)


class _Descriptor:
    """An open file that is closed with its owner."""

    def __init__(self, path: Path) -> None:
        self.number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self) -> None:
        if hasattr(self, "number"):
            os.close(self.number)


def read_index(path: Path, record_bytes: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Keys and offsets, each int64 ``(N,)``, by rising key, from lines ``key<tab>offset``.

    Args:
        path: the ``.idx`` file.
        record_bytes: length of the ``.rec`` file, which bounds how long the index can be.

    Raises:
        DataError: the file is missing, empty, too long, has other lines or a key twice.
    """
    longest = (record_bytes // SMALLEST_RECORD + 1) * _LONGEST_INDEX_LINE
    try:
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
        if length > longest:
            raise DataError(f"index {path} has more lines than its .rec file can have records")
    except OSError as error:
        raise DataError(f"cannot read index {path}: {error.strerror}") from None
    table = _integers(path)
    if table.shape[1:] != (2,):
        raise DataError(
            f"index {path}: expected lines 'key<tab>offset', got {len(table)} lines of "
            f"{table.shape[1]} numbers"
        )
    return _by_key(table[:, 0], table[:, 1], path)


def _integers(path: Path) -> NDArray[np.int64]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an empty file, or numbers with a fraction
            # NumPy crashes on letters beyond ASCII, so they must not reach it
            return np.loadtxt(path, np.int64, comments=None, ndmin=2, encoding="ascii")
    except (OSError, ValueError, OverflowError, Warning) as error:
        raise DataError(f"index {path}: expected lines 'key<tab>offset', got {error}") from None


def _by_key(
    keys: NDArray[np.int64], offsets: NDArray[np.int64], path: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if not (keys[1:] > keys[:-1]).all():
        order = np.argsort(keys, kind="stable")
        keys, offsets = keys[order], offsets[order]
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    if len(twice):
        raise DataError(f"index {path} lists key {keys[twice[0]]} twice; make it anew")
    return np.ascontiguousarray(keys), np.ascontiguousarray(offsets)


def as_record(payload: bytes) -> bytes:
    """The record that holds ``payload``, cut into parts where it has the aligned magic.

    Raises:
        DataError: the payload is longer than ``MAX_IMAGE_BYTES``.
    """
    if len(payload) > MAX_IMAGE_BYTES:
        raise DataError(f"a record holds at most {MAX_IMAGE_BYTES} bytes, got {len(payload)}")
    parts = _cut(payload)
    last = len(parts) - 1
    kinds = [0] if last == 0 else [1, *[2] * (last - 1), 3]
    pieces = [
        _PREFIX.pack(MAGIC, kind << 29 | len(part)) + part + bytes(-len(part) % 4)
        for kind, part in zip(kinds, parts, strict=True)
    ]
    return b"".join(pieces)


def _cut(payload: bytes) -> list[bytes]:
    parts, start, at = [], 0, payload.find(_MAGIC_BYTES)
    while at >= 0:
        if at % 4 == 0:
            parts.append(payload[start:at])
            start = at + 4
        at = payload.find(_MAGIC_BYTES, at + 1 if at % 4 else start)
    return [*parts, payload[start:]]
