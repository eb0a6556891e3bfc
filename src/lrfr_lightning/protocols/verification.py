"""Verification at several resolutions: pairs, folds, and what is measured on them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import ImageSource
from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.functional.controls import Control, check_control
from lrfr_lightning.functional.folds import kfold_accuracy
from lrfr_lightning.functional.resize import BICUBIC, Kernel
from lrfr_lightning.functional.verification import (
    area_under_curve,
    best_threshold,
    equal_error_rate,
    roc,
    tar_at_far,
    youden_threshold,
)
from lrfr_lightning.protocols.result import ProtocolResult, Setting, Side
from lrfr_lightning.utils.errors import ConfigError

Embeddings = NDArray[np.floating]

FULL_RESOLUTION = 112
"""Side of an aligned face, px: nothing is degraded at this resolution."""

FARS = (0.1, 0.01, 0.001)
_CURVE_POINTS = np.logspace(-4, 0, 61)
_RULES = {"standard": best_threshold, "deck": youden_threshold}
_KERNELS = {"standard": BICUBIC, "deck": Kernel("bilinear", antialias=False)}


class VerificationProtocol:
    """Decide for each pair of images whether both show one person.

    Args:
        name: the protocol's name in results and logs.
        images: every image of the protocol once.
        pairs: positions in ``images``, same or not, and folds.
        resolutions: sides to degrade to, px; 112 leaves the images as they are.
        setting: ``standard``: threshold of highest accuracy on the other folds, bicubic with
            antialias both ways. ``deck``: the threshold where TPR - FPR is largest on the other
            folds, bilinear without antialias both ways, as in the slides' run.
        degraded: which image of each pair is degraded; ``first`` and ``second`` compare across
            resolutions.
        down: kernel that shrinks; by default the setting's.
        up: kernel that enlarges; by default the setting's.
        flip: add the embedding of the mirrored image.
        control: what is taken from each face before it is degraded, see
            :func:`~lrfr_lightning.functional.controls.apply_control`.

    Raises:
        ConfigError: no resolution, one outside 1..112, or no such control.
    """

    def __init__(
        self,
        name: str,
        images: ImageSource,
        pairs: VerificationPairs,
        resolutions: Sequence[int] = (112, 56, 28, 14, 7),
        setting: Setting = "standard",
        degraded: Side = "both",
        down: Kernel | None = None,
        up: Kernel | None = None,
        flip: bool = False,
        control: Control = "none",
    ) -> None:
        wrong = [r for r in resolutions if not 1 <= r <= FULL_RESOLUTION]
        if wrong or not resolutions:
            raise ConfigError(
                f"{name}: expected resolutions of 1..{FULL_RESOLUTION} px, got {list(resolutions)}"
            )
        self.name = name
        self.images = images
        self.pairs = pairs
        self.resolutions = list(resolutions)
        self.setting: Setting = setting
        self.degraded: Side = degraded
        self.down = down or _KERNELS[setting]
        self.up = up or _KERNELS[setting]
        self.flip = flip
        self.control: Control = check_control(control)

    @property
    def embedded_resolutions(self) -> list[int]:
        """The resolutions at which every image has to be embedded, each once."""
        full = [] if self.degraded == "both" else [FULL_RESOLUTION]
        return sorted({*self.resolutions, *full}, reverse=True)

    def evaluate(self, embeddings: Mapping[int, Embeddings], model: str) -> list[ProtocolResult]:
        """One result per resolution.

        Args:
            embeddings: float ``(len(images), D)`` for each of ``embedded_resolutions``.
            model: name of the model behind them.

        Raises:
            DataError: an embedding is zero or not finite.
        """
        return [self._result(embeddings, model, resolution) for resolution in self.resolutions]

    def scores(self, embeddings: Mapping[int, Embeddings], resolution: int) -> Embeddings:
        """Cosine of each pair at a resolution, float64 ``(len(pairs),)``, -1..1."""
        full = resolution if self.degraded == "both" else FULL_RESOLUTION
        first = resolution if self.degraded in ("both", "first") else full
        second = resolution if self.degraded in ("both", "second") else full
        return cosine(embeddings[first][self.pairs.first], embeddings[second][self.pairs.second])

    def _result(
        self, embeddings: Mapping[int, Embeddings], model: str, resolution: int
    ) -> ProtocolResult:
        scores, pairs = self.scores(embeddings, resolution), self.pairs
        folds = kfold_accuracy(scores, pairs.same, pairs.fold, _RULES[self.setting])
        metrics: dict[str, float | None] = {
            "accuracy": float(folds.accuracy.mean()),
            "accuracy_std": float(folds.accuracy.std()),
            "auc": area_under_curve(scores, pairs.same),
            "eer": equal_error_rate(scores, pairs.same),
        }
        metrics |= {f"tar@far={far:g}": tar_at_far(scores, pairs.same, far) for far in FARS}
        return ProtocolResult(
            model=model,
            protocol=self.name,
            setting=self.setting,
            resolution=resolution,
            degraded=self.degraded,
            down=str(self.down),
            up=str(self.up),
            flip=self.flip,
            control=self.control,
            metrics=metrics,
            counts=self._counts(),
            # beyond six digits a float32 cosine says nothing
            thresholds={"accuracy": round(float(folds.threshold.mean()), 6)},
            curves=roc_curve(scores, pairs.same),
        )

    def _counts(self) -> dict[str, int]:
        genuine = int(np.count_nonzero(self.pairs.same))
        return {
            "images": len(self.images),
            "pairs": len(self.pairs),
            "genuine": genuine,
            "impostor": len(self.pairs) - genuine,
            "folds": len(np.unique(self.pairs.fold)),
        }


def cosine(first: Embeddings, second: Embeddings) -> Embeddings:
    """Cosine of rows, float64 ``(N,)``; NaN where an embedding is zero."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.einsum("nd,nd->n", first, second) / lengths)


def roc_curve(scores: Embeddings, same: NDArray[np.bool_]) -> dict[str, list[float]]:
    """The ROC for a plot: the exact TAR at FARs spaced evenly on a log axis."""
    curve = roc(scores, same)
    last = np.searchsorted(curve.far, _CURVE_POINTS, side="right") - 1
    kept = np.unique(last)
    return {"far": curve.far[kept].tolist(), "tar": curve.tar[kept].tolist()}
