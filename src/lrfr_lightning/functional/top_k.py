"""The k best gallery entries of each probe (1:N lookup), in bounded memory."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from lrfr_lightning.functional.score_tiles import BLOCK, Rows, Tile, checked
from lrfr_lightning.functional.shares import over_shares
from lrfr_lightning.utils.errors import ConfigError

Found = tuple[Tensor, Tensor, Tensor]
"""Probe and gallery row, int64 ``(N,)``, and score, float32 ``(N,)``."""

_WAITING = 32
"""Entries found for a probe, at most and before those of the last tile, until it is settled."""


class TopK(NamedTuple):
    """The best entries of P probes, the best first.

    Attributes:
        score: float32 ``(P, k)``.
        row: int64 ``(P, k)``, the gallery row of each.
    """

    score: Tensor
    row: Tensor


def top_k(probes: Rows, gallery: Rows, k: int = 20, block: int = BLOCK) -> TopK:
    """Look for the ``k`` highest scores of each probe, exact up to the rounding of float32.

    Most scores are only compared with the k-th best so far, so that a search takes little more than
    the product of the two matrices. Entries of equal score come in any order.

    Args:
        probes: float ``(P, D)``, an array or a tensor, of length 1 where scores are to be cosines.
        gallery: float ``(G, D)``, on the same device, where the search then runs.
        k: 1..G.
        block: scores held at once.

    Raises:
        ConfigError: ``k`` outside 1..G, or shapes or devices do not fit.
        DataError: an embedding is not finite, or a side is empty.
    """
    left, right = checked(probes, gallery)
    check_k(k, len(right))

    def look(share: slice, tiles: Iterator[Tile]) -> TopK:
        own = left[share]
        best = TopK(
            torch.full((len(own), k), -torch.inf, device=own.device),
            torch.full((len(own), k), -1, device=own.device),
        )
        found: list[Found] = []
        most = 0
        for tile in tiles:
            if tile.column == 0:
                _begin(best, tile)
                continue
            found.append(_better(best, tile))
            # several tiles at once, as many as no probe has much better of: that bounds the memory
            most += _most(tile, found[-1])
            if most >= _WAITING:
                _settle(best, found)
                most = 0
        _settle(best, found)
        return best

    score, row = zip(*over_shares(look, left, right, block), strict=True)
    return TopK(torch.cat(score), torch.cat(row))


def check_k(k: int, entries: int) -> None:
    """Raise ConfigError for a ``k`` outside of 1..entries."""
    if not 1 <= k <= entries:
        raise ConfigError(f"expected k in 1..{entries}, the size of the gallery, got {k}")


def _begin(best: TopK, tile: Tile) -> None:
    """Take the best of the first tile of its probes; nearly all of it is better than nothing."""
    score, row = best.score[tile.probes], best.row[tile.probes]
    first, at = tile.scores.topk(min(score.shape[1], tile.scores.shape[1]), dim=1)
    score[:, : first.shape[1]], row[:, : first.shape[1]] = first, at


def _better(best: TopK, tile: Tile) -> Found:
    """What is better than the k-th best of its probe."""
    probe, column = tile.above(best.score[tile.probes, -1:])
    return probe + tile.row, column + tile.column, tile.scores[probe, column]


def _most(tile: Tile, found: Found) -> int:
    """How many were found in a tile for one probe, at most."""
    return int((found[0] - tile.row).bincount(minlength=1).max())


def _settle(best: TopK, found: list[Found]) -> None:
    """Put all that was found beside the probes' own and keep the best of both."""
    if not found:
        return
    probe, entry, value = (torch.cat(parts) for parts in zip(*found, strict=True))
    found.clear()
    if len(probe):
        probe, order = probe.sort(stable=True)
        _insert(best, (probe, entry[order], value[order]))


def _insert(best: TopK, found: Found) -> None:
    """Put entries, sorted by probe, beside the probes' own and keep the best of both."""
    (score, row), (probe, entry, value) = best, found
    new = probe.diff(prepend=probe.new_full((1,), -1)) != 0
    touched, place = probe[new], new.cumsum(0) - 1
    count = place.bincount()
    k, start = score.shape[1], count.cumsum(0) - count
    wide = torch.full((len(touched), k + int(count.max())), -torch.inf, device=score.device)
    where = torch.full(wide.shape, -1, device=row.device)
    wide[:, :k], where[:, :k] = score[touched], row[touched]
    offset = k + torch.arange(len(probe), device=probe.device) - start[place]
    wide[place, offset], where[place, offset] = value, entry
    score[touched], at = wide.topk(k, dim=1)
    row[touched] = where.gather(1, at)
