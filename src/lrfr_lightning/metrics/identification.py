"""Identification metrics (1:N) that gather embeddings over batches and ranks.

Each is a thin class over its function in :mod:`lrfr_lightning.functional.identification`. All
embeddings are kept until ``compute``; a rank that has none adds an empty batch of the same dtypes.
"""

from typing import Any

import numpy as np
from torch import Tensor
from torchmetrics import Metric

from lrfr_lightning.functional.identification import (
    Search,
    mean_average_precision,
    rank_rate,
    search,
)
from lrfr_lightning.functional.open_set import tpir_at_fpir
from lrfr_lightning.metrics.verification import joined, scalar
from lrfr_lightning.utils.errors import ConfigError


class SearchMetric(Metric):
    """Keeps probes and gallery, and looks for each probe by cosine.

    Args:
        arguments: those of :class:`torchmetrics.Metric`.
    """

    full_state_update = False
    is_differentiable = False
    higher_is_better = True
    embedding: list[Tensor]
    person: list[Tensor]
    in_gallery: list[Tensor]

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        for name in ("embedding", "person", "in_gallery"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, embedding: Tensor, person: Tensor, in_gallery: Tensor) -> None:
        """Add a batch of probes and gallery entries, in any mixture.

        Args:
            embedding: float ``(B, D)``, of any length.
            person: int64 ``(B,)``; -1 for distractors and for probes known to be in no gallery.
            in_gallery: bool ``(B,)``, otherwise a probe.

        Raises:
            ConfigError: shapes do not fit.
        """
        if embedding.ndim != 2 or not len(embedding) == len(person) == len(in_gallery):
            raise ConfigError(
                f"expected embeddings (B, D), person (B,) and in_gallery (B,), got "
                f"{tuple(embedding.shape)}, {tuple(person.shape)} and {tuple(in_gallery.shape)}"
            )
        self.embedding.append(embedding.detach())
        self.person.append(person.detach())
        self.in_gallery.append(in_gallery.detach().bool())

    def found(self) -> Search:
        """What came of looking for each probe.

        Raises:
            DataError: no probe, no gallery, or an embedding that is zero or not finite.
        """
        rows = joined(self.embedding).astype(np.float64)
        person, gallery = joined(self.person), joined(self.in_gallery).astype(bool)
        with np.errstate(invalid="ignore", divide="ignore"):
            rows = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
        return search(rows[~gallery], person[~gallery], rows[gallery], person[gallery])


class RankK(SearchMetric):
    """Share of mated probes whose best mate has rank ``k`` or better; ties count against them.

    Args:
        k: 1 or more.
        arguments: those of :class:`torchmetrics.Metric`.

    Raises:
        ConfigError: ``k`` below 1.
    """

    def __init__(self, k: int = 1, **arguments: Any) -> None:
        super().__init__(**arguments)
        if k < 1:
            raise ConfigError(f"RankK.k: expected 1 or more, got {k}")
        self.k = k

    def compute(self) -> Tensor:
        """float64 scalar, 0..1; NaN where no probe is mated."""
        return scalar(rank_rate(self.found(), self.k))


class MeanAveragePrecision(SearchMetric):
    """Mean over mated probes of the average precision over all mates, by TinyFace's rule."""

    def compute(self) -> Tensor:
        """float64 scalar, 0..1; NaN where no probe is mated."""
        return scalar(mean_average_precision(self.found()))


class TpirAtFpir(SearchMetric):
    """Open-set identification: TPIR within the first ``k`` at an FPIR of at most ``fpir``.

    Args:
        fpir: 0..1.
        k: 1 or more.
        arguments: those of :class:`torchmetrics.Metric`.

    Raises:
        ConfigError: ``fpir`` or ``k`` outside of its range.
    """

    def __init__(self, fpir: float = 0.01, k: int = 1, **arguments: Any) -> None:
        super().__init__(**arguments)
        if not 0 < fpir <= 1 or k < 1:
            raise ConfigError(f"TpirAtFpir: expected fpir in 0..1 and k >= 1, got {fpir} and {k}")
        self.fpir, self.k = fpir, k

    def compute(self) -> Tensor:
        """float64 scalar, 0..1; NaN where fewer than ``1 / fpir`` probes are unmated."""
        return scalar(tpir_at_fpir(self.found(), self.fpir, self.k)[0])
