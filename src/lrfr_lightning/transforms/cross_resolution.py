"""Cross-resolution views of a batch: which samples become low-resolution, and how.

Source: Knoche et al., 2021 (2107.03769): half of each batch low-resolution (BT), several
resolutions at once (BT-M), or both versions of each image (ST). Here these are settings of one
mechanism.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lrfr_lightning.functional.degradation import degrade_
from lrfr_lightning.functional.resize import BICUBIC, Kernel
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
        where: ``workers``: the processes that read the images degrade them; ``device``: the
            training step's device does, one batched operation with the same result. It frees
            the workers where they hold back a GPU, and needs kernels with antialias.

    Raises:
        ConfigError: ``share`` is not in 0..1, or the device is asked for a kernel it has not.
    """

    def __init__(
        self,
        resolutions: Listed | Uniform | LogUniform,
        share: float = 0.5,
        draw: Literal["exact", "sample"] = "exact",
        down: Kernel = BICUBIC,
        up: Kernel = BICUBIC,
        views: Literal["one", "pair"] = "one",
        where: Literal["workers", "device"] = "workers",
    ) -> None:
        if not 0 <= share <= 1:
            raise ConfigError(f"share of low-resolution samples: expected 0..1, got {share}")
        if where == "device" and not (down.antialias and up.antialias):
            raise ConfigError(
                f"where: device needs kernels with antialias, got '{down}' and '{up}'; "
                "expected where: workers for these"
            )
        self.resolutions: Resolutions = resolutions
        self.share = share
        self.draw = draw
        self.down, self.up = down, up
        self.views = views
        self.where = where

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

    def sample(self, count: int, side: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Which resolution each image of a batch gets; equal generators give equal ones.

        Args:
            count: images of the batch.
            side: their own side, px.
            rng: where the draws come from.

        Returns:
            int64 ``(count,)``, px; ``side`` where an image is not degraded.
        """
        resolution = np.full(count, side, np.int64)
        chosen = self._chosen(count, rng)
        resolution[chosen] = self.resolutions.sample(len(chosen), rng)
        return resolution

    def degrade(self, images: Tensor, resolution: Tensor) -> dict[str, Tensor]:
        """The views of a batch at the resolutions drawn, on the device of the images.

        Args:
            images: uint8 ``(B, 3, H, W)``; with one view they are changed in place.
            resolution: int64 ``(B,)``, px.

        Returns:
            ``image``, and with pairs ``image_lr``, uint8 ``(B, 3, H, W)``.
        """
        if self.views == "pair":
            copies = images.clone()
            return {"image": images, "image_lr": degrade_(copies, resolution, self.down, self.up)}
        return {"image": degrade_(images, resolution, self.down, self.up)}

    def _chosen(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Positions of the samples to degrade."""
        if self.draw == "exact":
            return rng.permutation(count)[: round(self.share * count)]
        return np.flatnonzero(rng.random(count) < self.share)
