"""Search of probes in a gallery (1:N), exact, in blocks: the full score matrix never exists.

A probe is *mated* if its person is in the gallery; gallery entries of its person are its mates, all
others are impostors. Ties are decided against the probe: a mate's rank is one more than the number
of impostors whose score is at least the mate's. A model that gives every face the same embedding
so has rank-1 of zero, where counting ties in its favour would give it everything.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.utils.errors import DataError

NOBODY = -1
"""Person of a distractor or of an unmated probe: different from everybody, also from NOBODY."""

MISSED = int(np.iinfo(np.int64).max)
"""Rank of an unmated probe, or of one without an image to search with: beyond every k."""

_TIE = 1e-12
"""Products of equal embeddings at different places of a matrix differ by less."""

_BLOCK = 2**23
"""Scores held at once: 64 MB."""


@dataclass(frozen=True)
class Search:
    """What came of looking for each of P probes.

    Attributes:
        probe: int64 ``(P,)``, row of the probe; -1 for one without an image to search with.
        person: int64 ``(P,)``, who it shows.
        mated: bool ``(P,)``, the probe's person is in the gallery.
        mate: float64 ``(P,)``, the highest score of a mate; NaN where it was not found.
        impostor: float64 ``(P,)``, the highest score of an impostor; NaN if there is none.
        rank: int64 ``(P,)``, of the best mate, 1 or more; ``MISSED`` for unmated probes.
        precision: float64 ``(P,)``, average precision over all mates, 0..1; NaN for unmated probes.
        mate_at: int64 ``(P,)``, gallery row of the best mate; -1 for unmated probes.
        impostor_at: int64 ``(P,)``, gallery row of the best impostor; -1 if there is none.
    """

    probe: NDArray[np.int64]
    person: NDArray[np.int64]
    mated: NDArray[np.bool_]
    mate: NDArray[np.float64]
    impostor: NDArray[np.float64]
    rank: NDArray[np.int64]
    precision: NDArray[np.float64]
    mate_at: NDArray[np.int64]
    impostor_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rank)

    def take(self, rows: NDArray[np.bool_]) -> "Search":
        """The part of the search that some probes are, bool ``(P,)``."""
        return Search(*(getattr(self, column.name)[rows] for column in fields(self)))

    def with_missed(self, person: NDArray[np.int64], there: NDArray[np.bool_]) -> "Search":
        """The search with rows for mated probes that have no image, and so are never found.

        Args:
            person: int64 ``(N,)``, who every probe shows.
            there: bool ``(N,)``, whether it has an image; P of them have.
        """
        nan, no_row = np.full(len(there), np.nan), np.full(len(there), -1)
        whole = Search(
            probe=no_row,
            person=person.copy(),
            mated=~there,
            mate=nan,
            impostor=nan.copy(),
            rank=np.full(len(there), MISSED),
            precision=np.zeros(len(there)),
            mate_at=no_row.copy(),
            impostor_at=no_row.copy(),
        )
        for column in fields(self):
            getattr(whole, column.name)[there] = getattr(self, column.name)
        return whole


def search(
    probes: NDArray[np.float64],
    probe_people: NDArray[np.int64],
    gallery: NDArray[np.float64],
    gallery_people: NDArray[np.int64],
    block: int = _BLOCK,
) -> Search:
    """Look for every probe in the gallery.

    Args:
        probes: float64 ``(P, D)``, of length 1 where scores are to be cosines.
        probe_people: int64 ``(P,)``, ``NOBODY`` for people known to be in no gallery.
        gallery: float64 ``(G, D)``.
        gallery_people: int64 ``(G,)``, ``NOBODY`` for distractors.
        block: scores that are held at once.

    Raises:
        DataError: an embedding is not finite, or a side is empty.
    """
    _check(probes, "probes")
    _check(gallery, "gallery entries")
    step = max(1, block // len(gallery))
    rows = [
        _look_up(scores, (gallery_people == person) & (person != NOBODY))
        for start in range(0, len(probes), step)
        for scores, person in zip(
            probes[start : start + step] @ gallery.T,
            probe_people[start : start + step],
            strict=True,
        )
    ]
    columns = (np.asarray(column) for column in zip(*rows, strict=True))
    return Search(np.arange(len(probes)), probe_people, *columns)


def _look_up(
    scores: NDArray[np.float64], mates: NDArray[np.bool_]
) -> tuple[bool, float, float, int, float, int, int]:
    """One probe's row of ``Search``, from ``mated`` on."""
    impostor_at, impostor = _best(np.where(mates, -np.inf, scores))
    if not mates.any():
        return False, np.nan, impostor, MISSED, np.nan, -1, impostor_at
    mate_at, mate = _best(np.where(mates, scores, -np.inf))
    own, others = np.sort(scores[mates])[::-1], scores[~mates]
    ahead = np.asarray([np.count_nonzero(others >= score - _TIE) for score in own])
    ranks = ahead + np.arange(1, len(own) + 1)
    precision = average_precision(ranks)
    return True, mate, impostor, int(ranks[0]), precision, mate_at, impostor_at


def _best(scores: NDArray[np.float64]) -> tuple[int, float]:
    at = int(np.argmax(scores))
    return (at, float(scores[at])) if scores[at] > -np.inf else (-1, float("nan"))


def average_precision(ranks: NDArray[np.int64]) -> float:
    """Area under precision against recall, between the ranks joined by straight lines, 0..1.

    This is the rule of TinyFace's own evaluation (Cheng et al., "Low-Resolution Face Recognition",
    ACCV 2018), which has it from Oxford Buildings: each mate adds the mean of the precisions at its
    rank and at the rank before. scikit-learn takes the former alone.

    Args:
        ranks: int64 ``(M,)``, ranks of a probe's mates, rising, from 1.
    """
    number = np.arange(1, len(ranks) + 1)
    before = np.where(ranks > 1, (number - 1) / np.maximum(ranks - 1, 1), 1.0)
    return float(np.mean((number / ranks + before) / 2))


def rank_rate(found: Search, k: int) -> float:
    """Share of mated probes whose best mate has rank ``k`` or better, 0..1; NaN without any."""
    mated = found.rank[found.mated]
    return float(np.mean(mated <= k)) if len(mated) else float("nan")


def cmc(found: Search, most: int) -> NDArray[np.float64]:
    """The rank rate for k = 1..most, float64 ``(most,)``."""
    return np.asarray([rank_rate(found, k) for k in range(1, most + 1)])


def mean_average_precision(found: Search) -> float:
    """Mean of the average precision over mated probes, 0..1; NaN without any."""
    own = found.precision[found.mated]
    return float(np.mean(own)) if len(own) else float("nan")


def _check(rows: NDArray[np.float64], what: str) -> None:
    if not len(rows):
        raise DataError(f"expected {what} to search with, got none")
    wrong = int(np.count_nonzero(~np.isfinite(rows).all(axis=1)))
    if wrong:
        raise DataError(
            f"{wrong} of {len(rows)} {what} have an embedding that is not finite or zero"
        )
