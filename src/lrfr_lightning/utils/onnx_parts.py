"""Whether the parts of an ONNX file fit into it, before ONNX Runtime makes room for them."""

import os
from pathlib import Path
from typing import BinaryIO

from lrfr_lightning.utils.errors import DataError

_MOST_PARTS, _LONGEST_NUMBER = 100_000, 10
_NUMBER, _LENGTH = 0, 2
_SIZES = {_NUMBER: 0, 1: 8, 5: 4}
"""Bytes behind the head of a part, by wire type, where none are stated."""


def check_parts(path: Path) -> None:
    """Refuse a file of which a part claims more bytes than there are.

    ONNX is a protobuf message; what lies within a part cannot claim more than the part. Source: the
    encoding as Protocol Buffers document it (wire types; groups, 3 and 4, are no part of ONNX).

    Raises:
        DataError: a part is longer than the file, of no known kind, or there are over 100,000.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        for _ in range(_MOST_PARTS):
            if file.tell() == size:
                return
            kind = _number(file, path) & 7
            stated = _number(file, path) if kind in (_NUMBER, _LENGTH) else 0
            length = stated if kind == _LENGTH else _SIZES.get(kind, size)
            if file.tell() + length > size:
                raise _unreadable(path, "a part of it claims more bytes than the file has")
            file.seek(length, os.SEEK_CUR)
    raise _unreadable(path, f"it has more than {_MOST_PARTS:,} parts")


def _number(file: BinaryIO, path: Path) -> int:
    """The next number: seven bits a byte, the lowest first."""
    value = 0
    for place in range(_LONGEST_NUMBER):
        byte = file.read(1)
        if not byte:
            raise _unreadable(path, "it ends within a number")
        value |= (byte[0] & 127) << 7 * place
        if byte[0] < 128:
            return value
    raise _unreadable(path, "a number in it has no end")


def _unreadable(path: Path, reason: str) -> DataError:
    return DataError(f"{path} cannot be read as an ONNX model ({reason})")
