"""The impostors of each probe: how many are ahead of its mates, and the best of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lrfr_lightning.functional.exact_scores import exact_where, in_parts, pair_scores, slack
from lrfr_lightning.functional.score_tiles import Tile, score_tiles

_TIE = 1e-12
"""Products of equal embeddings at different places of a matrix differ by less."""

_ROWS = 512
"""Probes whose exact scores are held at once."""


@dataclass(frozen=True)
class Mates:
    """Pairs of a probe and a gallery entry of its person, sorted by probe.

    Attributes:
        probe: int64 ``(M,)``.
        entry: int64 ``(M,)``.
        first: int64 ``(P + 1,)``, where each probe's pairs begin, and their number at the end.
    """

    probe: Tensor
    entry: Tensor
    first: Tensor


class Impostors:
    """Counts impostors tile by tile, and keeps the best.

    Attributes:
        mate: float64 ``(M,)``, the exact score of each pair.
        ahead: int64 ``(M,)``, impostors that score at least as much as the mate.
        best: float64 ``(P,)``, the highest score of an impostor; -inf if there is none.
        best_at: int64 ``(P,)``, its gallery row; -1 if there is none.
    """

    def __init__(self, probes: Tensor, gallery: Tensor, mates: Mates) -> None:
        self._probes, self._gallery, self._mates = probes, gallery, mates
        self._slack = slack(probes, gallery)
        self.mate = pair_scores(probes, gallery, mates.probe, mates.entry)
        self.ahead = torch.zeros_like(mates.probe)
        self.best = torch.full_like(self._slack, -torch.inf)
        self.best_at = torch.full_like(mates.first[1:], -1)

    def look(self, block: int) -> None:
        """Go through all scores once."""
        for tile in score_tiles(self._probes, self._gallery, block):
            self._hide_mates(tile)
            highest = tile.scores.amax(dim=1).double()
            self._update_best(tile, highest)
            self._update_ahead(tile, highest)
        # in one way for all: how a tile came by it changes the last digit
        found = (self.best_at >= 0).nonzero().squeeze(1)
        at = self.best_at[found]
        self.best[found] = pair_scores(self._probes, self._gallery, found, at)

    def _hide_mates(self, tile: Tile) -> None:
        own = slice(*self._mates.first[[tile.probes.start, tile.probes.stop]].tolist())
        probe, entry = self._mates.probe[own] - tile.row, self._mates.entry[own] - tile.column
        here = (entry >= 0) & (entry < tile.scores.shape[1])
        tile.scores[probe[here], entry[here]] = -torch.inf

    def _update_best(self, tile: Tile, highest: Tensor) -> None:
        slack = self._slack[tile.probes]
        best, best_at = self.best[tile.probes], self.best_at[tile.probes]
        hidden = highest == -torch.inf
        lowest = torch.maximum(best - slack, highest - 2 * slack)
        for rows in in_parts(((highest >= lowest) & ~hidden).nonzero().squeeze(1), _ROWS):
            possible = tile.scores[rows] >= lowest[rows, None].float()
            row, column, exact = self._exact(tile, rows, possible)
            score = best[rows].scatter_reduce(0, row, exact, "amax", include_self=False)
            # the first of those that tie
            ties = exact >= score[row] - _TIE
            at = best_at[rows].scatter_reduce(
                0, row[ties], column[ties], "amin", include_self=False
            )
            better = score > best[rows] + _TIE
            best[rows[better]], best_at[rows[better]] = score[better], at[better] + tile.column

    def _update_ahead(self, tile: Tile, highest: Tensor) -> None:
        """One of each probe's mates after another."""
        first = self._mates.first[tile.row : tile.probes.stop + 1]
        for place in range(int(first.diff().max())):
            rows = (first.diff() > place).nonzero().squeeze(1)
            pairs = first[rows] + place
            near = highest[rows] >= self.mate[pairs] - _TIE - self._slack[tile.probes][rows]
            if near.any():
                self._count(tile, rows[near], pairs[near])

    def _count(self, tile: Tile, rows: Tensor, pairs: Tensor) -> None:
        """Add to ``ahead`` of pairs, one of each row of the tile."""
        least, slack = self.mate[pairs] - _TIE, self._slack[tile.probes][rows]
        low, high = (least - slack).float()[:, None], (least + slack).float()[:, None]
        scores = tile.scores if len(rows) == len(tile.scores) else tile.scores[rows]
        surely = (scores > high).sum(dim=1)
        self.ahead[pairs] += surely
        doubtful = (scores >= low).sum(dim=1) > surely
        for part in in_parts(doubtful.nonzero().squeeze(1), _ROWS):
            between = (scores[part] >= low[part]) & (scores[part] <= high[part])
            row, _, exact = self._exact(tile, rows[part], between)
            pair = part[row]
            self.ahead.index_add_(0, pairs[pair], (exact >= least[pair]).long())

    def _exact(self, tile: Tile, rows: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return exact_where(wanted, self._probes[rows + tile.row], self._gallery[tile.entries])
