"""Which items a model got right: what a paired test between two models needs, as JSON.

``{"kind": "verification" | "identification", "metric": "accuracy" | "rank1", "items": ...,
"count": n, "correct": ..., "people": ...}``. ``items`` is the SHA-256 of what is compared, in
order, so that only results on the same items are tested against each other; ``correct`` holds a bit
per item (packed big-endian as by numpy, base64); ``people`` numbers the person on each side of each
item (int32 little-endian ``(n, 2)``, zlib, base64) and is absent where people are unknown.
"""

import base64
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.bootstrap import People
from lrfr_lightning.utils.errors import DataError

Kind = Literal["verification", "identification"]


@dataclass(frozen=True)
class Outcomes:
    """What was decided rightly.

    Attributes:
        kind: ``verification``: items are pairs; ``identification``: items are probes.
        items: SHA-256 of the items in order, hex.
        metric: the metric that is the share of right items.
        correct: bool ``(N,)``.
        people: int32 ``(N, 2)``, the person on each side; equal where both are one (a genuine
            pair, or a probe). None where people are unknown.
    """

    kind: Kind
    items: str
    metric: str
    correct: NDArray[np.bool_]
    people: People | None = None

    def to_json(self) -> dict[str, Any]:
        """The form in which results files hold it."""
        content: dict[str, Any] = {
            "kind": self.kind,
            "items": self.items,
            "metric": self.metric,
            "correct": _text(np.packbits(self.correct).tobytes()),
            "count": len(self.correct),
        }
        if self.people is not None:
            content["people"] = _text(zlib.compress(self.people.astype("<i4").tobytes(), 9))
        return content


def items_hash(items: Iterable[str]) -> str:
    """SHA-256 of the items' names in order, hex; each name on one line."""
    return hashlib.sha256("\n".join(items).encode()).hexdigest()


def read_outcomes(content: Mapping[str, Any]) -> Outcomes:
    """Read what :meth:`Outcomes.to_json` wrote; nothing larger than ``count`` says is unpacked.

    Raises:
        DataError: a key is missing, or a part has another length than ``count`` says.
    """
    try:
        count = int(content["count"])
        packed = base64.b64decode(content["correct"], validate=True)
        if count < 0 or len(packed) != (count + 7) // 8:
            raise DataError(
                f"outcomes: expected one bit for each of {count} items, got {len(packed)} B"
            )
        people = _people(content["people"], count) if "people" in content else None
        found = {key: str(content[key]) for key in ("kind", "items", "metric")}
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, OverflowError, zlib.error) as error:
        raise DataError(f"outcomes of a result cannot be read: {error!r:.200}") from None
    correct = np.unpackbits(np.frombuffer(packed, np.uint8), count=count).astype(bool)
    return Outcomes(found["kind"], found["items"], found["metric"], correct, people)  # type: ignore[arg-type]


def _people(text: str, count: int) -> People:
    size = 8 * count
    unpacked = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    if len(unpacked) != size:
        raise ValueError(f"expected two people for each of {count} items")
    return np.frombuffer(unpacked, "<i4").reshape(count, 2).astype(np.int32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
