"""Calibrated thresholds: what score is enough, by resolution and, in a search, by gallery size."""

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np

from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import existing, whole_file
from lrfr_lightning.utils.plain import check_types
from lrfr_lightning.utils.reading import MAX_JSON_BYTES, parse_json, read_bounded

FORMAT = 1
"""Of the file; another one is refused."""


@dataclass(frozen=True)
class RateTable:
    """Thresholds at several error rates over two coordinates.

    Between coordinates a threshold is interpolated linearly in their logarithms; outside of them
    there is none.

    Attributes:
        first: rising: resolution of the probe, px.
        second: rising: of the other side, px, or people in the gallery.
        rates: falling error rates, 0..1.
        wished: the one of them at which decisions are made.
        threshold: ``[first][second][rate]``, rising with falling rates.
        interval: ``[first][second]``: ``[low, high]`` that holds the rate which the threshold of
            ``wished`` really has, with 95 % confidence.
        count: comparisons or searches behind each rate.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    rates: tuple[float, ...]
    wished: float
    threshold: tuple[tuple[tuple[float, ...], ...], ...]
    interval: tuple[tuple[tuple[float, float], ...], ...]
    count: int

    def __post_init__(self) -> None:
        for name in ("first", "second", "rates", "threshold", "interval"):
            object.__setattr__(self, name, _tuples(getattr(self, name)))
        shape = (len(self.first), len(self.second), len(self.rates))
        fits = np.shape(self.threshold) == shape and np.shape(self.interval) == (*shape[:2], 2)
        ordered = _rise(self.first) and _rise(self.second) and _rise(self.rates[::-1])
        known = fits and np.isfinite(np.asarray([self.threshold], np.float64)).all()
        if not known or not ordered or self.wished not in self.rates:
            raise ValueError("coordinates, rates and thresholds do not fit each other")

    def limits(self, first: float, second: float) -> list[float] | None:
        """The threshold at each rate; None outside of the calibrated coordinates."""
        one, other = _between(self.first, first), _between(self.second, second)
        if one is None or other is None:
            return None
        return [float(value) for value in np.einsum("i,j,ijk->k", one, other, self.threshold)]

    def limit(self, first: float, second: float) -> float | None:
        """The threshold at the wished rate; None outside of the calibrated coordinates."""
        limits = self.limits(first, second)
        return None if limits is None else limits[self.rates.index(self.wished)]

    def rate(self, score: float, first: float, second: float) -> float | None:
        """The rate at which a score would just be accepted.

        It is interpolated in the rate's logarithm, and never beyond the ends of ``rates``.
        """
        limits = self.limits(first, second)
        if limits is None:
            return None
        return float(np.exp(np.interp(score, limits, np.log(self.rates))))


@dataclass(frozen=True)
class Thresholds:
    """What was calibrated with a model.

    Attributes:
        model: its name.
        fingerprint: its content; no other model may use these thresholds.
        flip: whether the embedding of the mirrored image was added.
        faces: on whose faces.
        people: how many they are.
        search: FPIR of identification, over probe resolution and people in the gallery, whose
            images have 112 px; None if it was not asked for.
        pairs: FAR of verification, over the resolutions of the two faces; None likewise.
    """

    model: str
    fingerprint: str
    flip: bool
    faces: str
    people: int
    search: RateTable | None
    pairs: RateTable | None

    def save(self, path: str | Path) -> None:
        """Write them as JSON, whole or not at all."""
        with whole_file(path) as partial:
            partial.write_text(json.dumps({"format": FORMAT} | asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            DataError: no such file, or not one of calibrated thresholds.
        """
        file = existing(path, "file of thresholds")
        try:
            content = parse_json(read_bounded(file, MAX_JSON_BYTES, "file of thresholds"))
            if content.pop("format") != FORMAT:
                raise ValueError(f"expected format {FORMAT}")
            search, pairs = (_table(content.pop(name)) for name in ("search", "pairs"))
            found = cls(**content, search=search, pairs=pairs)
            check_types(found)
            return found
        except (ArithmeticError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(
                f"{file}: expected thresholds as lrfr calibrate writes them ({error})"
            ) from None


def _table(content: dict[str, Any] | None) -> RateTable | None:
    if content is None:
        return None
    table = RateTable(**content)
    check_types(table)
    return table


def _tuples(value: Any) -> Any:
    """JSON gives lists; tuples keep the object unchanged."""
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _rise(values: tuple[float, ...]) -> bool:
    return bool(values) and values[0] > 0 and all(one < other for one, other in pairwise(values))


def _between(known: tuple[int, ...], value: float) -> list[float] | None:
    """The weight of each known coordinate; None outside of them."""
    if not known[0] <= value <= known[-1]:
        return None
    places = np.log(known)
    return [float(np.interp(np.log(value), places, one)) for one in np.eye(len(known))]
