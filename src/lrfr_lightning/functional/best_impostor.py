"""The best impostor of each probe: float32 finds the candidates, float64 chooses."""

import torch
from torch import Tensor

from lrfr_lightning.functional.exact_scores import TIE, exact_product, in_parts, pair_scores
from lrfr_lightning.functional.score_tiles import Tile

_MANY = 16
_PENDING = 2**20


class BestImpostor:
    """Keeps all entries that may be the best of their probe until it is known which is.

    Args:
        probes: float ``(P, D)``.
        gallery: float ``(G, D)``.
        slack: float64 ``(P,)``, see :func:`~lrfr_lightning.functional.exact_scores.slack`.

    Attributes:
        score: float64 ``(P,)``, after :meth:`settle`; -inf if there is none.
        entry: int64 ``(P,)``, its gallery row, the first of those that tie; -1 if there is none.
    """

    def __init__(self, probes: Tensor, gallery: Tensor, slack: Tensor) -> None:
        self._probes, self._gallery, self._twice = probes, gallery, 2 * slack
        self._highest = torch.full_like(slack, -torch.inf)
        self._pending: list[tuple[Tensor, Tensor, Tensor]] = []
        self.score = torch.full_like(slack, -torch.inf)
        self.entry = torch.full(slack.shape, -1, device=slack.device)

    def add(self, tile: Tile, highest: Tensor) -> None:
        """Note the candidates of a tile, whose highest scores are float64 ``(R,)``."""
        top = torch.maximum(self._highest[tile.probes], highest)
        self._highest[tile.probes] = top
        row, column = tile.above((top - self._twice[tile.probes]).float()[:, None])
        if len(row) * _MANY > tile.scores.numel():
            row, column = self._thinned(tile, row, column)
        score = tile.scores[row, column]
        self._pending.append((row + tile.row, column + tile.column, score))
        if sum(len(row) for row, _, _ in self._pending) > _PENDING:
            self.settle()

    def settle(self) -> None:
        """Choose among what was noted."""
        if not self._pending:
            return
        row, entry, blunt = (torch.cat(parts) for parts in zip(*self._pending, strict=True))
        self._pending = []
        kept = blunt >= self._highest[row] - self._twice[row]
        row, entry = row[kept], entry[kept]
        exact = pair_scores(self._probes, self._gallery, row, entry)
        score = self.score.scatter_reduce(0, row, exact, "amax")
        # the first of those that tie
        ties = exact >= score[row] - TIE
        found = self.entry.scatter_reduce(0, row[ties], entry[ties], "amin", include_self=False)
        better = score > self.score + TIE
        self.score = torch.where(better, score, self.score)
        self.entry = torch.where(better, found, self.entry)

    def _thinned(self, tile: Tile, row: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
        """Of a tile that hardly tells entries apart, the best candidate of each probe."""
        wanted = torch.zeros(tile.scores.shape, dtype=torch.bool, device=row.device)
        wanted[row, column] = True
        rows = wanted.any(dim=1).nonzero().squeeze(1)
        best = []
        for part in in_parts(rows, 512):
            exact = exact_product(self._probes[part + tile.row], self._gallery[tile.entries])
            exact.masked_fill_(~wanted[part], -torch.inf)
            ties = exact >= exact.amax(dim=1, keepdim=True) - TIE
            best.append(ties.byte().max(dim=1).indices)
        return rows, torch.cat(best)
