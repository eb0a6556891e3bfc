"""From scores to decisions: the same face or not, known or unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lrfr_lightning.recognition.thresholds import RateTable

Decision = Literal["same", "different", "known", "unknown", "undecided"]
"""``undecided`` where no threshold was calibrated for the resolution."""


@dataclass(frozen=True)
class Comparison:
    """Two faces compared.

    Attributes:
        score: cosine of the embeddings, -1..1.
        threshold: what is enough at these two resolutions; None where it was not calibrated.
        decision: ``same``, ``different`` or ``undecided``.
        far: the false accept rate at which this score would just be accepted, no finer than what
            was calibrated; None without a threshold.
    """

    score: float
    threshold: float | None
    decision: Decision
    far: float | None


@dataclass(frozen=True)
class Identification:
    """A face looked for in a gallery.

    Attributes:
        matches: names and scores, the best first.
        margin: lead of the best over the second person; None where there is no second.
        threshold: what is enough at this resolution in a gallery of this size; None where it was
            not calibrated.
        decision: ``known``, ``unknown`` or ``undecided``.
        fpir: the false alarm rate at which the best score would just be accepted, no finer than
            what was calibrated; None without a threshold.
    """

    matches: list[tuple[str, float]]
    margin: float | None
    threshold: float | None
    decision: Decision
    fpir: float | None


def compared(score: float, one: int, other: int, table: RateTable | None) -> Comparison:
    """Decide on a score of faces of two resolutions, px; the order does not matter."""
    low, high = sorted((one, other))
    threshold, far = _judged(score, low, high, table)
    return Comparison(score, threshold, _decided(score, threshold, "same", "different"), far)


def identified(
    best: Sequence[tuple[str, float]],
    where: tuple[int, int],
    table: RateTable | None,
    top: int,
) -> Identification:
    """Decide on the best people of a search, one at least.

    Args:
        best: names and scores, the best first.
        where: resolution of the probe, px, and people in the gallery.
        table: thresholds of searches.
        top: how many people are named.
    """
    score = best[0][1]
    threshold, fpir = _judged(score, *where, table)
    return Identification(
        matches=list(best[:top]),
        margin=score - best[1][1] if len(best) > 1 else None,
        threshold=threshold,
        decision=_decided(score, threshold, "known", "unknown"),
        fpir=fpir,
    )


def _judged(
    score: float, first: int, second: int, table: RateTable | None
) -> tuple[float | None, float | None]:
    if table is None:
        return None, None
    return table.limit(first, second), table.rate(score, first, second)


def _decided(score: float, threshold: float | None, yes: Decision, no: Decision) -> Decision:
    if threshold is None:
        return "undecided"
    return yes if score >= threshold else no
