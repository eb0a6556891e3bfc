"""Thrift's compact protocol, in which Parquet writes its headers: structs become plain values.

Nothing is built before its bytes are seen, and no description of the structs is needed.
Source: the Apache Thrift compact protocol specification.
"""

from collections.abc import Callable
from mmap import mmap
from typing import Any

_DEEPEST = 16

Read = tuple[Any, int]
"""A value, and the position behind it."""


def read_struct(data: bytes | mmap, start: int) -> tuple[dict[int, Any], int]:
    """The fields of a struct by their number, and the position behind it.

    Args:
        data: what holds it.
        start: the position of its first byte.

    Raises:
        ValueError: it ends too early, is nested too deep or has a field of no known type.
    """
    return _struct(data, start, 0)


def _struct(data: bytes | mmap, start: int, depth: int) -> tuple[dict[int, Any], int]:
    fields: dict[int, Any] = {}
    number, position = 0, start
    while (head := _byte(data, position)) != 0:
        if head >> 4:
            number, position = number + (head >> 4), position + 1
        else:
            number, position = _signed(data, position + 1)
        kind = head & 15
        if kind in _TRUTH:
            fields[number] = _TRUTH[kind]
        else:
            fields[number], position = _value(data, position, kind, depth)
    return fields, position + 1


_TRUTH = {1: True, 2: False}


def _value(data: bytes | mmap, position: int, kind: int, depth: int) -> Read:
    if depth > _DEEPEST:
        raise ValueError(f"structs within more than {_DEEPEST} others")
    if kind in _SCALARS:
        return _SCALARS[kind](data, position)
    if kind in (9, 10):
        return _list(data, position, depth)
    if kind == 12:
        return _struct(data, position, depth + 1)
    raise ValueError(f"a field of type {kind}")


def _list(data: bytes | mmap, position: int, depth: int) -> Read:
    head = _byte(data, position)
    count, position = head >> 4, position + 1
    if count == 15:
        count, position = _unsigned(data, position)
    if count > len(data) - position:
        raise ValueError(f"a list of {count} entries in {len(data)} bytes")
    entries = []
    for _ in range(count):
        # a truth value that stands alone takes a byte of its own
        kind = head & 15 if head & 15 not in _TRUTH else 3
        entry, position = _value(data, position, kind, depth + 1)
        entries.append(entry)
    return entries, position


def _byte(data: bytes | mmap, position: int) -> int:
    if not 0 <= position < len(data):
        raise ValueError("it ends within a header")
    return data[position]


def _unsigned(data: bytes | mmap, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = _byte(data, position)
        value, position = value | (byte & 127) << shift, position + 1
        if byte < 128:
            return value, position
    raise ValueError("a number of more than 70 bits")


def _signed(data: bytes | mmap, position: int) -> tuple[int, int]:
    value, position = _unsigned(data, position)
    return value >> 1 ^ -(value & 1), position


def _text(data: bytes | mmap, position: int) -> Read:
    length, position = _unsigned(data, position)
    if length > len(data) - position:
        raise ValueError(f"a text of {length} bytes in {len(data)}")
    return data[position : position + length], position + length


def _skip(length: int) -> Callable[[bytes | mmap, int], Read]:
    return lambda data, position: (_byte(data, position + length - 1), position + length)


_SCALARS: dict[int, Callable[[bytes | mmap, int], Read]] = {
    3: _skip(1), 4: _signed, 5: _signed, 6: _signed, 7: _skip(8), 8: _text,
}  # fmt: skip
"""Byte, int16, int32, int64, double and text; what a byte or a double says nobody asks."""
