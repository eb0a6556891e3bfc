"""Whether plain data read from a file has the types and the size that it should have."""

import math
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_LARGEST = 2**63
"""JSON has numbers that neither NumPy nor a float can hold."""


MAX_ENTRIES, MAX_DEPTH = 100_000, 60
"""Of a description; one of a network has some 20 entries."""


def check_types(value: Any) -> None:
    """Hold a dataclass or named tuple of plain data against its annotations.

    A ``float`` may be a whole number, or None where it could not be measured; of a ``Literal`` the
    type alone counts.

    Raises:
        TypeError: an attribute is of another type; names it.
    """
    for name, kind in get_type_hints(type(value)).items():
        found = getattr(value, name)
        if not _fits(found, kind):
            raise TypeError(f"{name}: expected {kind}, got {type(found).__name__} or others in it")


def check_size(value: Any, known: dict[int, int] | None = None, depth: int = 1) -> int:
    """How many entries plain data has with everything that is shared written out.

    A pickle of some lines can hold a list of lists of lists ... of one list: nothing in memory, but
    without end for whoever walks through it.

    Args:
        value: lists, tuples, dictionaries and anything else in them.
        known: of the containers that were counted; 0 for those that are being counted.
        depth: of the value.

    Raises:
        ValueError: more than ``MAX_ENTRIES``, deeper than ``MAX_DEPTH``, or one that holds itself.
    """
    if not isinstance(value, dict | list | tuple):
        return 1
    known = {} if known is None else known
    if depth > MAX_DEPTH or known.get(id(value)) == 0:
        raise ValueError(f"entries that hold themselves, or nested more than {MAX_DEPTH} deep")
    if id(value) not in known:
        known[id(value)] = 0
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(check_size(entry, known, depth + 1) for entry in inner)
    if known[id(value)] > MAX_ENTRIES:
        raise ValueError(f"more than {MAX_ENTRIES} entries")
    return known[id(value)]


def _fits(value: Any, kind: Any) -> bool:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return any(_fits(value, type(part)) for part in parts)
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(key, parts[0]) and _fits(entry, parts[1]) for key, entry in value.items()
        )
    if origin in (list, tuple):
        return isinstance(value, list | tuple) and all(_fits(entry, parts[0]) for entry in value)
    return _is_one(value, origin or kind)


def _is_one(value: Any, kind: Any) -> bool:
    if kind is float:
        return value is None or (_is_number(value) and math.isfinite(value))
    if kind is int:
        return _is_number(value) and isinstance(value, int)
    if kind is str:
        return isinstance(value, str) and (value.isascii() or _is_unicode(value))
    return kind is Any or isinstance(value, NoneType if kind is None else kind)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST if isinstance(value, int) else True


def _is_unicode(text: str) -> bool:
    """JSON may hold halves of characters, which no file can be written with."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
