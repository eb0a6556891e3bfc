"""The impostors of each probe: how many are ahead of its mates, and the best of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lrfr_lightning.functional.best_impostor import BestImpostor
from lrfr_lightning.functional.exact_scores import TIE, exact_product, in_parts, pair_scores
from lrfr_lightning.functional.score_tiles import Tile, compared, places

_ROWS, _MANY = 512, 16
"""Probes that are counted for at once, and whose exact scores are held."""


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

    Args:
        probes: float ``(P, D)``.
        gallery: float ``(G, D)``.
        mates: all pairs of the probes.
        slack: float64 ``(P,)``, see :func:`~lrfr_lightning.functional.exact_scores.slack`.

    Attributes:
        mate: float64 ``(M,)``, the exact score of each pair.
        ahead: int64 ``(M,)``, impostors that score at least as much as the mate.
        best: the best impostor of each probe.
    """

    def __init__(self, probes: Tensor, gallery: Tensor, mates: Mates, slack: Tensor) -> None:
        self._probes, self._gallery, self._mates, self._slack = probes, gallery, mates, slack
        self.mate = pair_scores(probes, gallery, mates.probe, mates.entry)
        self.ahead = torch.zeros_like(mates.probe)
        self.best = BestImpostor(probes, gallery, slack)

    def look(self, tiles: Iterator[Tile]) -> None:
        """Go through all scores once, in the tiles of the probes and the gallery."""
        for tile in tiles:
            self._hide_mates(tile)
            highest = tile.highest.double()
            self.best.add(tile, highest)
            self._update_ahead(tile, highest)
            if tile.entries.stop == len(self._gallery):
                self.best.settle()

    def _hide_mates(self, tile: Tile) -> None:
        ends = self._mates.first[tile.row : tile.probes.stop + 1 : len(tile.scores)]
        own = slice(*ends.tolist())
        probe, entry = self._mates.probe[own] - tile.row, self._mates.entry[own] - tile.column
        here = (entry >= 0) & (entry < tile.scores.shape[1])
        tile.scores[probe[here], entry[here]] = -torch.inf

    def _update_ahead(self, tile: Tile, highest: Tensor) -> None:
        """One of each probe's mates after another."""
        first = self._mates.first[tile.row : tile.probes.stop + 1]
        for place in range(int(first.diff().max())):
            rows = (first.diff() > place).nonzero().squeeze(1)
            pairs = first[rows] + place
            near = highest[rows] >= self.mate[pairs] - TIE - self._slack[tile.probes][rows]
            for part in in_parts(near.nonzero().squeeze(1), _ROWS):
                self._count(tile, rows[part], pairs[part])

    def _count(self, tile: Tile, rows: Tensor, pairs: Tensor) -> None:
        """Add to ``ahead`` of pairs, one of each row of the tile."""
        least, slack = self.mate[pairs] - TIE, self._slack[tile.probes][rows]
        low, high = (least - slack).float()[:, None], (least + slack).float()[:, None]
        scores = tile.scores.index_select(0, rows)
        surely = compared(scores, np.greater, high)
        ahead = surely.sum(dim=1)
        row, column = places(compared(scores, np.greater_equal, low) ^ surely)
        if len(row) * _MANY > scores.numel():
            gallery = self._gallery[tile.entries]
            exact = exact_product(self._probes[rows + tile.row], gallery)[row, column]
        else:
            exact = pair_scores(
                self._probes, self._gallery, rows[row] + tile.row, column + tile.column
            )
        self.ahead[pairs] += ahead.index_add(0, row, (exact >= least[row]).long())
