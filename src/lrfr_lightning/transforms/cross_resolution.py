"""Cross-resolution views of a batch: which samples become low-resolution, and how.

Source: Knoche et al., 2021 (2107.03769): half of each batch low-resolution (BT), several
resolutions at once (BT-M), or both versions of each image (ST). Here these are settings of one
mechanism.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.resize import BICUBIC, Kernel, degrade
from lrfr_lightning.utils.errors import ConfigError


class Resolutions(Protocol):
    """Where the low resolutions of a batch are drawn from."""

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """``count`` sides in px, int64 ``(count,)``."""

    @property
    def highest(self) -> int:
        """The largest side it can draw, px."""


class Listed:
    """Each of the listed sides is equally likely.

    Args:
        sides: px.

    Raises:
        ConfigError: no side, or one below 1.
    """

    def __init__(self, sides: Sequence[int]) -> None:
        if not sides or min(sides) < 1:
            raise ConfigError(f"expected resolutions of at least 1 px, got {list(sides)}")
        self.sides = np.asarray(sides, np.int64)

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """``count`` sides in px, int64 ``(count,)``."""
        return rng.choice(self.sides, count)

    @property
    def highest(self) -> int:
        """The largest listed side, px."""
        return int(self.sides.max())


class Uniform:
    """Every whole side from ``low`` to ``high`` is equally likely.

    Args:
        low: smallest side, px.
        high: largest side, px.

    Raises:
        ConfigError: not ``1 <= low <= high``.
    """

    def __init__(self, low: int, high: int) -> None:
        if not 1 <= low <= high:
            raise ConfigError(f"expected 1 <= low <= high in px, got low={low}, high={high}")
        self.low, self.high = low, high

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """``count`` sides in px, int64 ``(count,)``."""
        return rng.integers(self.low, self.high, count, endpoint=True)

    @property
    def highest(self) -> int:
        """The largest side, px."""
        return self.high


class LogUniform(Uniform):
    """Every octave is equally likely: small sides come as often as their doubles.

    Args:
        low: smallest side, px.
        high: largest side, px.
    """

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """``count`` sides in px, int64 ``(count,)``."""
        sides = np.exp(rng.uniform(np.log(self.low), np.log(self.high), count))
        return np.rint(sides).astype(np.int64)


@dataclass(frozen=True)
class Views:
    """What a batch of images became.

    Attributes:
        images: one per sample, uint8 ``(H, W, 3)``.
        images_lr: the degraded copies, where pairs are wanted, else empty.
        resolution: int64 ``(B,)``, side of the degraded image before upscaling, px (the image's
            own side where nothing was degraded); with pairs, that of ``images_lr``.
    """

    images: list[Image]
    resolution: NDArray[np.int64]
    images_lr: list[Image] = field(default_factory=list)


class CrossResolution:
    """Degrades a share of each batch to low resolutions and back.

    Args:
        resolutions: the sides to draw from.
        share: share of the batch that is degraded, 0..1.
        draw: ``exact``: that share of every batch, rounded; ``sample``: each sample by chance.
        down: kernel that shrinks.
        up: kernel that enlarges.
        views: ``one``: the degraded image replaces the original; ``pair``: the original stays and
            the batch has a second view, of which ``share`` is degraded.

    Raises:
        ConfigError: ``share`` is not in 0..1.
    """

    def __init__(
        self,
        resolutions: Listed | Uniform | LogUniform,
        share: float = 0.5,
        draw: Literal["exact", "sample"] = "exact",
        down: Kernel = BICUBIC,
        up: Kernel = BICUBIC,
        views: Literal["one", "pair"] = "one",
    ) -> None:
        if not 0 <= share <= 1:
            raise ConfigError(f"share of low-resolution samples: expected 0..1, got {share}")
        self.resolutions: Resolutions = resolutions
        self.share = share
        self.draw = draw
        self.down, self.up = down, up
        self.views = views

    def check(self, side: int) -> None:
        """Refuse images that are smaller than a resolution asked of them.

        Raises:
            ConfigError: ``side`` (px) is below the largest resolution that can be drawn.
        """
        if self.resolutions.highest > side:
            raise ConfigError(
                f"resolution {self.resolutions.highest} px is larger than the image ({side} px); "
                f"expected at most {side}"
            )

    def __call__(self, images: list[Image], rng: np.random.Generator) -> Views:
        """Degrade a batch; equal generators give equal views."""
        resolution = np.asarray([min(image.shape[:2]) for image in images], np.int64)
        chosen = self._chosen(len(images), rng)
        resolution[chosen] = self.resolutions.sample(len(chosen), rng)
        degraded = [
            degrade(image, int(side), self.down, self.up)
            for image, side in zip(images, resolution, strict=True)
        ]
        if self.views == "pair":
            return Views(images, resolution, degraded)
        return Views(degraded, resolution)

    def _chosen(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Positions of the samples to degrade."""
        if self.draw == "exact":
            return rng.permutation(count)[: round(self.share * count)]
        return np.flatnonzero(rng.random(count) < self.share)
