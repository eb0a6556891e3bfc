"""Which items were right, as JSON and back."""

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest

from lrfr_lightning.protocols.outcomes import Outcomes, items_hash, read_outcomes
from lrfr_lightning.utils.errors import DataError


def outcomes(count: int, people: bool = True) -> Outcomes:
    rng = np.random.default_rng(count)
    members = rng.integers(0, 900, (count, 2)).astype(np.int32)
    correct = rng.random(count) < 0.7
    return Outcomes("verification", items_hash("ab"), "accuracy", correct,
                    members if people else None)  # fmt: skip


@pytest.mark.parametrize("people", [True, False])
@pytest.mark.parametrize("count", [1, 7, 8, 1001])
def test_round_trip(count: int, people: bool) -> None:
    written = outcomes(count, people)
    found = read_outcomes(json.loads(json.dumps(written.to_json())))
    np.testing.assert_array_equal(found.correct, written.correct)
    assert (found.kind, found.items, found.metric) == ("verification", written.items, "accuracy")
    if people:
        np.testing.assert_array_equal(found.people, written.people)
    else:
        assert found.people is None


def test_the_form_is_as_documented() -> None:
    people = np.array([[1, 2], [3, 3]], np.int32)
    content = Outcomes("identification", "x", "rank1", np.array([True, False]), people).to_json()
    assert base64.b64decode(content["correct"]) == b"\x80"
    assert content["count"] == 2
    raw = zlib.decompress(base64.b64decode(content["people"]))
    assert raw == b"\1\0\0\0\2\0\0\0\3\0\0\0\3\0\0\0"


def test_items_depend_on_order_and_borders() -> None:
    assert items_hash(["a", "b"]) != items_hash(["b", "a"])
    assert items_hash(["ab"]) != items_hash(["a", "b"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": 17}, "one bit for each of 17 items, got 2 B"),
        ({"people": "!"}, "cannot be read"),
        ({"correct": 3}, "cannot be read"),
        ({"kind": None, "people": base64.b64encode(b"x").decode()}, "cannot be read"),
        ({"count": -1}, "cannot be read|expected one bit"),
        ({"correct": "AAAA"}, "one bit for each of 16 items, got 3 B"),
    ],
)
def test_what_cannot_be_read(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_outcomes(outcomes(16).to_json() | change)


def test_missing_key() -> None:
    with pytest.raises(DataError, match="KeyError.*correct"):
        read_outcomes({"count": 1})


def test_a_bomb_is_not_unpacked() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(100_000_000))).decode()
    with pytest.raises(DataError, match="two people for each of 16 items"):
        read_outcomes(outcomes(16).to_json() | {"people": bomb})
