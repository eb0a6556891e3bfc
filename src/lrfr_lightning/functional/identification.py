"""Search of probes in a gallery (1:N), exact, in blocks: the full score matrix never exists.

A probe is *mated* if its person is in the gallery; gallery entries of its person are its mates, all
others are impostors. Ties are decided against the probe: a mate's rank is one more than the number
of impostors whose score is at least the mate's. A model that gives every face the same embedding
so has rank-1 of zero, where counting ties in its favour would give it everything.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lrfr_lightning.functional.ahead import Impostors, Mates
from lrfr_lightning.functional.exact_scores import lengths, slack
from lrfr_lightning.functional.score_tiles import BLOCK, Rows, Tile, checked
from lrfr_lightning.functional.shares import over_shares
from lrfr_lightning.utils.distributed import gather_objects, rank_and_world

NOBODY = -1
"""Person of a distractor or of an unmated probe: different from everybody, also from NOBODY."""

MISSED = int(np.iinfo(np.int64).max)
"""Rank of an unmated probe, or of one without an image to search with: beyond every k."""

Columns = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


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
    probes: Rows,
    probe_people: NDArray[np.int64],
    gallery: Rows,
    gallery_people: NDArray[np.int64],
    block: int = BLOCK,
) -> Search:
    """Look for every probe in the gallery.

    Scores are computed in float32, and again in float64 wherever float32 cannot decide: ranks,
    ties and scores are those of float64.

    Args:
        probes: float ``(P, D)``, an array or a tensor, of length 1 where scores are to be cosines.
        probe_people: int64 ``(P,)``, ``NOBODY`` for people known to be in no gallery.
        gallery: float ``(G, D)``, on the same device, where the search then runs.
        gallery_people: int64 ``(G,)``, ``NOBODY`` for distractors.
        block: scores that are held at once.

    Raises:
        ConfigError: shapes or devices do not fit.
        DataError: an embedding is not finite, or a side is empty.
    """
    left, right = checked(probes, gallery)
    order = np.argsort(gallery_people, kind="stable")
    longest = lengths(right).max()

    def look(share: slice, tiles: Iterator[Tile]) -> Search:
        people = probe_people[share]
        mates = _mates(people, order, gallery_people[order])
        pairs = Mates(*(torch.from_numpy(column).to(left.device) for column in mates))
        own = left[share]
        impostors = Impostors(own, right, pairs, slack(own, longest))
        impostors.look(tiles)
        return _found(people, mates, impostors)

    return _joined(over_shares(look, left, right, block))


def search_over_ranks(
    probes: Rows,
    probe_people: NDArray[np.int64],
    gallery: Rows,
    gallery_people: NDArray[np.int64],
) -> Search:
    """:func:`search`, each rank looking for its share of the probes; the same on every rank.

    Every rank has to call it, with the same arguments.
    """
    rank, world = rank_and_world()
    ends = np.linspace(0, len(probes), min(world, len(probes)) + 1).astype(int)
    shares = [slice(*pair) for pair in pairwise(ends)]
    own = None
    if rank < len(shares):
        share = shares[rank]
        own = search(probes[share], probe_people[share], gallery, gallery_people)
    parts = gather_objects([own])
    return _joined([part for (part,) in parts if part is not None])


def _joined(parts: list[Search]) -> Search:
    """The search that those of some probes after the other make."""
    columns = (
        np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Search)
    )
    whole = Search(*columns)
    return replace(whole, probe=np.arange(len(whole)))


def _mates(
    probe_people: NDArray[np.int64], order: NDArray[np.int64], people: NDArray[np.int64]
) -> Columns:
    """The columns of ``Mates``, from the gallery's rows in the order of their people."""
    start = np.searchsorted(people, probe_people)
    count = np.searchsorted(people, probe_people, side="right") - start
    count[probe_people == NOBODY] = 0
    first = np.concatenate([[0], np.cumsum(count)])
    probe = np.repeat(np.arange(len(count)), count)
    entry = order[np.arange(len(probe)) - first[probe] + start[probe]]
    return probe, entry, first


def _found(person: NDArray[np.int64], mates: Columns, impostors: Impostors) -> Search:
    probe, entry, first = mates
    score, ahead = impostors.mate.cpu().numpy(), impostors.ahead.cpu().numpy()
    order = np.lexsort((-score, probe))
    number = np.arange(len(probe)) - first[probe] + 1
    ranks = ahead[order] + number
    mated = np.diff(first) > 0
    best = first[:-1][mated]
    best_impostor = impostors.best.score.cpu().numpy()

    def of_mated(values: NDArray[Any], otherwise: float) -> NDArray[Any]:
        column = np.full(len(mated), otherwise, values.dtype)
        column[mated] = values
        return column

    gains = _gains(ranks, number)
    sums = np.add.reduceat(gains, best) if len(best) else gains
    return Search(
        probe=np.arange(len(mated)),
        person=person,
        mated=mated,
        mate=of_mated(score[order][best], np.nan),
        impostor=np.where(np.isfinite(best_impostor), best_impostor, np.nan),
        rank=of_mated(ranks[best], MISSED),
        precision=of_mated(sums / np.diff(first)[mated], np.nan),
        mate_at=of_mated(entry[order][best], -1),
        impostor_at=impostors.best.entry.cpu().numpy(),
    )


def average_precision(ranks: NDArray[np.int64]) -> float:
    """Area under precision against recall, between the ranks joined by straight lines, 0..1.

    This is the rule of TinyFace's own evaluation (Cheng et al., "Low-Resolution Face Recognition",
    ACCV 2018), which has it from Oxford Buildings: each mate adds the mean of the precisions at its
    rank and at the rank before. scikit-learn takes the former alone.

    Args:
        ranks: int64 ``(M,)``, ranks of a probe's mates, rising, from 1.
    """
    return float(np.mean(_gains(ranks, np.arange(1, len(ranks) + 1))))


def _gains(ranks: NDArray[np.int64], number: NDArray[np.int64]) -> NDArray[np.float64]:
    """What each mate adds, ``number`` counting those of a probe from 1."""
    before = np.where(ranks > 1, (number - 1) / np.maximum(ranks - 1, 1), 1.0)
    return np.asarray((number / ranks + before) / 2)


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
