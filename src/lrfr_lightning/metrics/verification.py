"""Verification metrics that gather scores over batches and ranks.

Each is a thin class over its function in :mod:`lrfr_lightning.functional.verification`, and exact:
scores are taken as they are, raw cosines or negative distances. (The ROC and AUROC of torchmetrics
squash any score outside of 0..1 by a sigmoid, batch by batch.) All scores are kept, 8 bytes each,
and joined over ranks, so that the last batch may be uneven and the order says nothing. A rank that
has no pair at all adds an empty batch of the same dtypes: collectives need all ranks.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from lrfr_lightning.functional.folds import kfold_accuracy
from lrfr_lightning.functional.verification import (
    Flags,
    Scores,
    area_under_curve,
    best_threshold,
    equal_error_rate,
    roc,
    tar_at_far,
)
from lrfr_lightning.utils.errors import ConfigError


class PairMetric(Metric):
    """Keeps the score of every pair, and whether both images show one person.

    Args:
        arguments: those of :class:`torchmetrics.Metric`.
    """

    full_state_update = False
    is_differentiable = False
    scores: list[Tensor]
    same: list[Tensor]

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.add_state("scores", default=[], dist_reduce_fx="cat")
        self.add_state("same", default=[], dist_reduce_fx="cat")

    def update(self, scores: Tensor, same: Tensor) -> None:
        """Add a batch.

        Args:
            scores: float ``(B,)``, higher for more alike, any range.
            same: bool ``(B,)``, or 0 and 1.

        Raises:
            ConfigError: not two tensors of one length.
        """
        if scores.ndim != 1 or scores.shape != same.shape:
            raise ConfigError(
                f"expected scores (B,) and same (B,), got {tuple(scores.shape)} and "
                f"{tuple(same.shape)}"
            )
        self.scores.append(scores.detach())
        self.same.append(same.detach().bool())

    def pairs(self) -> tuple[Scores, Flags]:
        """All scores float64 ``(N,)`` and flags bool ``(N,)``."""
        return joined(self.scores).astype(np.float64), joined(self.same).astype(bool)


class AreaUnderROC(PairMetric):
    """Area under the ROC, 0..1.

    See :func:`~lrfr_lightning.functional.verification.area_under_curve`.
    """

    higher_is_better = True

    def compute(self) -> Tensor:
        """float64 scalar.

        Raises:
            DataError: a score is not finite, or one of the two classes is missing.
        """
        return scalar(area_under_curve(*self.pairs()))


class EqualErrorRate(PairMetric):
    """The rate at which FAR equals FRR, 0..1."""

    higher_is_better = False

    def compute(self) -> Tensor:
        """float64 scalar.

        Raises:
            DataError: a score is not finite, or one of the two classes is missing.
        """
        return scalar(equal_error_rate(*self.pairs()))


class TarAtFar(PairMetric):
    """The highest TAR at a FAR of at most ``far``, without interpolation over ties.

    Args:
        far: 0..1.
        arguments: those of :class:`torchmetrics.Metric`.

    Raises:
        ConfigError: ``far`` outside of 0..1.
    """

    higher_is_better = True

    def __init__(self, far: float = 0.001, **arguments: Any) -> None:
        super().__init__(**arguments)
        if not 0 < far <= 1:
            raise ConfigError(f"TarAtFar.far: expected a rate above 0 and up to 1, got {far}")
        self.far = far

    def compute(self) -> Tensor:
        """float64 scalar; NaN where there are fewer than ``1 / far`` impostor pairs.

        Raises:
            DataError: a score is not finite, or one of the two classes is missing.
        """
        return scalar(tar_at_far(*self.pairs(), self.far))


class VerificationROC(PairMetric):
    """Every distinct operating point."""

    def compute(self) -> tuple[Tensor, Tensor, Tensor]:
        """FAR, TAR and threshold, float64 ``(P,)`` each, from "accept none" to "accept all".

        Raises:
            DataError: a score is not finite, or one of the two classes is missing.
        """
        curve = roc(*self.pairs())
        far, tar, threshold = map(torch.from_numpy, (curve.far, curve.tar, curve.threshold))
        return far, tar, threshold


class VerificationAccuracy(PairMetric):
    """Mean accuracy over folds, the threshold of each from the others.

    Args:
        arguments: those of :class:`torchmetrics.Metric`.
    """

    higher_is_better = True
    fold: list[Tensor]

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.add_state("fold", default=[], dist_reduce_fx="cat")

    def update(self, scores: Tensor, same: Tensor, fold: Tensor) -> None:  # type: ignore[override]
        """Add a batch.

        Args:
            scores: float ``(B,)``, higher for more alike, any range.
            same: bool ``(B,)``, or 0 and 1.
            fold: int64 ``(B,)``, the fold of each pair.

        Raises:
            ConfigError: not three tensors of one length.
        """
        if fold.shape != scores.shape:
            raise ConfigError(
                f"expected a fold for each of {len(scores)} scores, got {tuple(fold.shape)}"
            )
        super().update(scores, same)
        self.fold.append(fold.detach())

    def compute(self) -> Tensor:
        """float64 scalar, 0..1.

        Raises:
            DataError: fewer than two folds, or one that holds a single class.
        """
        folds = kfold_accuracy(*self.pairs(), joined(self.fold), best_threshold)
        return scalar(float(folds.accuracy.mean()))


def joined(batches: Sequence[Tensor] | Tensor) -> NDArray[Any]:
    """A state is a list of batches, and one tensor once it is gathered over ranks."""
    if len(batches) == 0:
        return np.empty(0)
    return np.asarray(dim_zero_cat(batches).cpu().numpy())  # type: ignore[arg-type]


def scalar(value: float) -> Tensor:
    """float64, so that no digit is lost."""
    return torch.tensor(value, dtype=torch.float64)
