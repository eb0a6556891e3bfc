"""Scores of all probes against all gallery entries, a tile at a time, in float32.

Memory does not grow with either side, and what reads a tile finds it in the processor's cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrfr_lightning.utils.errors import ConfigError, DataError

Rows = Tensor | NDArray[np.floating]
"""float32 or float64 ``(N, D)``, an array or a tensor on any device."""

BLOCK = 2**23
"""Scores held at once: 32 MB. With fewer, calls of small work are more of the time."""

_COLUMNS, _MOST_ROWS, _GROUP = 1024, 8192, 64


@dataclass(frozen=True)
class Tile:
    """A part of the score matrix.

    Attributes:
        row: the first probe.
        column: the first gallery entry.
        scores: float32 ``(R, C)``; overwritten by the next tile.
    """

    row: int
    column: int
    scores: Tensor

    @property
    def probes(self) -> slice:
        """Which probes."""
        return slice(self.row, self.row + len(self.scores))

    @property
    def entries(self) -> slice:
        """Which gallery entries."""
        return slice(self.column, self.column + self.scores.shape[1])

    @cached_property
    def highest(self) -> Tensor:
        """The highest score of each probe, float32 ``(R,)``, as the scores are when first asked."""
        return self._maxima.amax(dim=1)

    @cached_property
    def _maxima(self) -> Tensor:
        """The highest score of each group of neighbours, ``(R, groups)``."""
        return self._groups.amax(dim=2)

    @property
    def _groups(self) -> Tensor:
        width = _GROUP if self.scores.shape[1] % _GROUP == 0 else self.scores.shape[1]
        return self.scores.view(len(self.scores), -1, width)

    def above(self, least: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column, int64 ``(N,)``, of scores above those of their rows ``(R, 1)``."""
        maxima, groups = self._maxima, self._groups
        # the maximum of a group takes a seventh of the time of comparing each score
        row, group = places(compared(maxima, np.greater, least))
        some = groups.flatten(0, 1).index_select(0, row * maxima.shape[1] + group)
        part, column = places(compared(some, np.greater, least[row]))
        return row[part], group[part] * groups.shape[2] + column


def score_tiles(probes: Tensor, gallery: Tensor, block: int = BLOCK) -> Iterator[Tile]:
    """Tiles of ``probes @ gallery.T``: all of the gallery for some probes, then for the next.

    Args:
        probes: float32 or float64 ``(P, D)``.
        gallery: float32 or float64 ``(G, D)``, on the same device.
        block: scores in a tile, at most.
    """
    columns = max(1, min(len(gallery), _COLUMNS, block))
    rows = max(1, min(len(probes), _MOST_ROWS, block // columns))
    # where freed memory goes back to the kernel, a new tensor for each tile takes a sixth more time
    buffer = torch.empty(rows * columns, dtype=torch.float32, device=probes.device)
    for row in range(0, len(probes), rows):
        left = probes[row : row + rows].float()
        for column in range(0, len(gallery), columns):
            right = gallery[column : column + columns].float()
            scores = buffer[: len(left) * len(right)].view(len(left), len(right))
            yield Tile(row, column, _product(left, right, scores))


def _product(left: Tensor, right: Tensor, out: Tensor) -> Tensor:
    """float32 ``left @ right.T``, under autocast too."""
    with torch.autocast(left.device.type, enabled=False):
        return torch.mm(left, right.T, out=out)


def compared(scores: Tensor, by: np.ufunc, bound: Tensor) -> Tensor:
    """Bool ``(R, C)``: scores ``(R, C)`` beside a bound for each row ``(R, 1)``.

    Args:
        scores: float32.
        by: ``np.greater`` or another comparison, which torch calls by the same name.
        bound: float32.
    """
    if scores.device.type != "cpu":
        held: Tensor = getattr(torch, by.__name__)(scores, bound)
        return held
    # numpy compares faster
    return torch.from_numpy(by(scores.numpy(), bound.numpy()))


def places(holds: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column, int64 ``(N,)`` each, of what holds in bool ``(R, C)``, row by row."""
    if holds.device.type != "cpu":
        row, column = holds.nonzero(as_tuple=True)
        return row, column
    # numpy skips what is false eight at a time, torch reads each twice
    flat = torch.from_numpy(np.flatnonzero(holds.numpy()))
    row = flat.div(holds.shape[1], rounding_mode="floor")
    return row, flat - row * holds.shape[1]


def checked(probes: Rows, gallery: Rows) -> tuple[Tensor, Tensor]:
    """Both sides as tensors, without a copy where they are float32 or float64.

    Raises:
        ConfigError: lengths or devices of the two differ, or they are no matrices.
        DataError: an embedding is not finite, or a side is empty.
    """
    left, right = (_floating(torch.as_tensor(rows).detach()) for rows in (probes, gallery))
    if (left.ndim, right.ndim) != (2, 2) or left.shape[1] != right.shape[1]:
        raise ConfigError(
            f"expected probes (P, D) and a gallery (G, D), got {tuple(left.shape)} and "
            f"{tuple(right.shape)}"
        )
    if left.device != right.device:
        raise ConfigError(
            f"expected both sides on one device, got {left.device} and {right.device}"
        )
    _check(left, "probes")
    _check(right, "gallery entries")
    return left, right


def _floating(rows: Tensor) -> Tensor:
    return rows if rows.dtype in (torch.float32, torch.float64) else rows.double()


def _check(rows: Tensor, what: str) -> None:
    if not len(rows):
        raise DataError(f"expected {what} to search with, got none")
    # a sum is finite only if all is, and is faster to ask
    doubtful = rows[~rows.sum(dim=1).isfinite()]
    wrong = int((~doubtful.isfinite().all(dim=1)).sum())
    if wrong:
        raise DataError(
            f"{wrong} of {len(rows)} {what} have an embedding that is not finite or zero"
        )
