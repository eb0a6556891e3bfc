"""Damage to files: bytes at random, and values inside of JSON."""

import json
from copy import deepcopy
from random import Random
from typing import Any

_NUMBERS = [0, 1, -1, 2**7, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, -(2**31)]
_TOKENS = [
    *(
        b"../",
        b"/etc/passwd",
        b"\0",
        b"\n",
        b"\t",
        b"\xff",
        b"\xef\xbb\xbf",
        b"null",
        b"NaN",
        b"1e999",
    ),
    *(
        b"-1",
        b"9" * 30,
        b"[" * 50,
        b"{",
        b"}",
        b'"',
        b"\\ud800",
        b"&a ",
        b"*a",
        b"<script>",
        b"!!python/name:os.system",
    ),
    *(
        b"cos\nsystem\n(S'true'\ntR.",
        b"true",
        b"99999999",
        b"0",
        b"%s",
        b"${HOME}",
        b" ",
        b"class_path",
    ),
]
_VALUES: list[Any] = [
    *(None, True, 0, -1, 1.5, 2**31, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "x"),
    *("\ud800", "<script>", "../x", [], {}, [[]], [0] * 1000, {"a": {"b": []}}, "9" * 5000),
]


def mutated(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """One to four changes.

    Args:
        data: a good file.
        others: further files, of which parts are taken.
        rng: decides.
    """
    if data[:1] in (b"{", b"[") and rng.random() < 0.5:
        return _json(data, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        data = _change(data, others, rng)
    return data


def _change(data: bytes, others: list[bytes], rng: Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 1, 2, 4, 8, 16, 64, 1024)))
    match rng.randrange(9):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[end:]
        case 2:
            return data[:at] + rng.randbytes(end - at) + data[end:]
        case 3:
            return data[:at] + rng.choice(_TOKENS) + data[at:]
        case 4:
            return data[:at] + data[at:end] * rng.choice((2, 3, 50)) + data[end:]
        case 5:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            return data[:at] + other[start : start + rng.choice((4, 32, 4096))] + data[end:]
        case 6:
            return (
                data[:at]
                + bytes([1 << rng.randrange(8) ^ b for b in data[at : at + 1]])
                + data[at + 1 :]
            )
        case _:
            return _number(data, at, rng)


def _number(data: bytes, at: int, rng: Random) -> bytes:
    """A number of some bytes in place of what stands there, little or big endian."""
    size = rng.choice((1, 2, 4, 8))
    value = rng.choice(_NUMBERS) % (1 << 8 * size)
    made = value.to_bytes(size, rng.choice(("little", "big")))
    return data[:at] + made + data[at + size :]


def _json(data: bytes, rng: Random) -> bytes:
    """Another value, a missing or a further key anywhere in the tree."""
    try:
        tree = json.loads(data)
    except ValueError:
        return data[: rng.randrange(len(data))]
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.choice(list(_places(tree)))
        if not place:
            continue
        key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if rng.random() < 0.2:
            del place[key]
        elif rng.random() < 0.1 and isinstance(place, dict):
            place["extra"] = deepcopy(rng.choice(_VALUES))
        else:
            place[key] = deepcopy(rng.choice(_VALUES))
    return json.dumps(tree).encode()


def _places(tree: Any) -> Any:
    """Every object and array."""
    if isinstance(tree, dict | list):
        yield tree
        for entry in tree.values() if isinstance(tree, dict) else tree:
            yield from _places(entry)
