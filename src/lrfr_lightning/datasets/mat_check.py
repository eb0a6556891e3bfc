"""Whether a MATLAB file holds what it claims, before SciPy makes room for it.

SciPy reserves as many elements as a shape says and goes as deep as cells are nested, which ends the
process where a file was made to do so. Source: MathWorks, "MAT-File Format", version 5.
"""

import math
import struct
import zlib
from collections.abc import Iterator

_HEADER, _VERSIONS = 128, {b"\0\1IM": "<", b"\1\0MI": ">"}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _CHAR, _OPAQUE = 1, 4, 17
_NUMBERS = range(6, 16)
_NUMBER_KINDS = {*range(1, 8), 9, 12, 13}
_TEXT_KINDS = {1, 2, 4, 16, 17, 18}
_COMPLEX = 0x800
_DEEPEST = 3

Part = tuple[int, memoryview]
"""Kind of a part, and its bytes."""


def check_mat(data: bytes, key: str, most: int) -> None:
    """Look at every part of a variable; all others are passed over, here as by SciPy.

    Args:
        data: the file.
        key: name of the variable.
        most: bytes that all variables may have, inflated.

    Raises:
        ValueError: it holds more than ``most`` bytes, or the variable is anything but numbers, text
            and cells of them that are all there.
        Exception: whatever damaged bytes lead to.
    """
    order = _VERSIONS.get(data[_HEADER - 4 : _HEADER])
    if order is None or 0 in data[:4]:
        raise ValueError("no header of that kind")
    left = most
    for kind, part in _parts(memoryview(data)[_HEADER:], order, pad=False):
        if kind == _COMPRESSED:
            part = _inflated(part, left)
        left -= len(part)
        if left < 0:
            raise ValueError(f"it holds more than {most} bytes: it is no list of a face set")
        if kind == _COMPRESSED:
            kind, part = next(_parts(part, order, pad=False))
        if kind != _MATRIX:
            raise ValueError(f"expected variables, got a part of kind {kind}")
        _check_matrix(part, order, key.encode())


def _inflated(part: memoryview, left: int) -> memoryview:
    """A compressed part, inflated to just beyond the bound."""
    return memoryview(zlib.decompressobj().decompress(part, left + 1))


def _parts(data: memoryview, order: str, pad: bool = True) -> Iterator[Part]:
    """The parts that data is made of, without a gap.

    Raises:
        ValueError: one ends beyond the data.
    """
    at = 0
    while at < len(data):
        if at + 8 > len(data):
            raise ValueError("it ends within a part")
        kind, size = struct.unpack_from(f"{order}II", data, at)
        start, end = at + 8, at + 8 + size
        if kind >> 16:  # up to four bytes stand in the second word
            kind, size = kind & 0xFFFF, kind >> 16
            start, end = at + 4, at + 4 + size
            at += 8
        else:
            at = end + (-size % 8 if pad and kind != _MATRIX else 0)
        if size > len(data) - start or at > len(data) or end > at:
            raise ValueError(f"it ends within a part of {size} bytes")
        yield kind, data[start:end]


def _check_matrix(data: memoryview, order: str, key: bytes | None, depth: int = 0) -> None:
    """``key`` is None within a cell, whose parts have no names."""
    if not len(data):  # an empty cell
        return
    parts = _parts(data, order)
    flags = struct.unpack(f"{order}II", next(parts)[1])[0]
    form = flags & 0xFF
    if form == _OPAQUE and key is not None:
        return
    dims, name = next(parts)[1], next(parts)[1]
    if key is not None and bytes(name) != key:
        return
    shape = struct.unpack(f"{order}{len(dims) // 4}i", dims)
    count = math.prod(shape)
    if min(shape, default=-1) < 0 or count > len(data):
        raise ValueError(f"it claims {shape} elements in {len(data)} bytes")
    if form == _CELL:
        _check_cells(parts, order, count, depth + 1)
    elif form == _CHAR or form in _NUMBERS:
        kinds = _TEXT_KINDS if form == _CHAR else _NUMBER_KINDS
        _check_values(parts, count, kinds, 2 if flags & _COMPLEX else 1)
    else:
        raise ValueError(
            f"expected names of image files or numbers, got a variable of class {form}"
        )


def _check_cells(parts: Iterator[Part], order: str, count: int, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"cells nested more than {_DEEPEST} deep")
    found = list(parts)
    for kind, part in found:
        if kind != _MATRIX:
            raise ValueError(f"expected a cell, got a part of kind {kind}")
        _check_matrix(part, order, None, depth)
    if len(found) != count:
        raise ValueError(f"expected {count} cells, got {len(found)}")


def _check_values(parts: Iterator[Part], count: int, kinds: set[int], wanted: int) -> None:
    found = list(parts)
    if len(found) != wanted:
        raise ValueError(f"expected {wanted} parts of values, got {len(found)}")
    for kind, part in found:
        if kind not in kinds or len(part) < count:
            raise ValueError(f"expected {count} values, got {len(part)} bytes of kind {kind}")
