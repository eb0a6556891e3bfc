"""What every protocol is to the rest of the library: images to embed, and what they are worth."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Self, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import ImageSource
from lrfr_lightning.functional.controls import Control, apply_control, check_control
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.resize import BICUBIC, Kernel, resize
from lrfr_lightning.protocols.result import ProtocolResult, Resolution, Setting, Side, falling
from lrfr_lightning.utils.errors import ConfigError, DataError

Embeddings = NDArray[np.floating]

FULL_RESOLUTION = 112
"""Side of an aligned face, px: nothing is degraded at this resolution."""

_KERNELS = {"standard": BICUBIC, "deck": Kernel("bilinear", antialias=False)}


class Conditions(TypedDict, total=False):
    """How a protocol shows its images; every protocol takes these arguments.

    Attributes:
        setting: ``standard``, the default, or ``deck`` (as the slides measured): the former has
            bicubic kernels with antialias, the latter bilinear ones without.
        degraded: what is degraded: ``both`` sides of each comparison, the default, only the
            ``first`` (the probe), only the ``second`` (the gallery), or ``matrix``: every
            resolution of the first against every one of the second.
        down: kernel that shrinks; by default the setting's.
        up: kernel that enlarges; by default the setting's.
        flip: add the embedding of the mirrored image; False by default.
        control: what is taken from each face before it is degraded, see
            :func:`~lrfr_lightning.functional.controls.apply_control`; ``none`` by default.
    """

    setting: Setting
    degraded: Side
    down: Kernel | None
    up: Kernel | None
    flip: bool
    control: Control


class Protocol(ABC):
    """Who is compared with whom, at which resolutions, and what is measured on it.

    Images are embedded once per resolution; :meth:`evaluate` turns embeddings into results.

    Args:
        name: the protocol's name in results and logs.
        images: every image of the protocol once.
        resolutions: sides to degrade to, px; 112 leaves an aligned face as it is, and None shows
            images of any size, such as native surveillance crops, enlarged to 112 px and no more.
        conditions: how the images are shown.

    Raises:
        ConfigError: no resolution, one outside 1..112, or no such control.
    """

    full: Resolution = FULL_RESOLUTION
    """How the side that is not degraded is shown."""

    intervals: int = 1000
    """Bootstrap replicates behind each interval; 0: none. Set by whoever measures."""

    examples: int = 4
    """How many of the hardest comparisons of each kind are shown as pictures; 0: no image is read
    again, so that there is no sample of sharpness either. Set by whoever measures."""

    def __init__(
        self,
        name: str,
        images: ImageSource,
        resolutions: Sequence[Resolution],
        **conditions: Unpack[Conditions],
    ) -> None:
        wrong = [r for r in resolutions if r is not None and not 1 <= r <= FULL_RESOLUTION]
        if wrong or not resolutions:
            raise ConfigError(
                f"{name}: expected resolutions of 1..{FULL_RESOLUTION} px, got {list(resolutions)}"
            )
        self.name = name
        self.images = images
        self.resolutions = list(resolutions)
        self.setting: Setting = conditions.get("setting", "standard")
        self.degraded: Side = conditions.get("degraded", "both")
        self.down = conditions.get("down") or _KERNELS[self.setting]
        self.up = conditions.get("up") or _KERNELS[self.setting]
        self.flip = conditions.get("flip", False)
        self.control: Control = check_control(conditions.get("control", "none"))

    @property
    def comparisons(self) -> list[tuple[Resolution, Resolution]]:
        """Resolutions of the first and of the second side, one result each."""
        if self.degraded == "matrix":
            return [(one, other) for one in self.resolutions for other in self.resolutions]
        first = self.degraded in ("both", "first")
        second = self.degraded in ("both", "second")
        return [(r if first else self.full, r if second else self.full) for r in self.resolutions]

    @property
    def embedded_resolutions(self) -> list[Resolution]:
        """The resolutions at which images have to be embedded, each once, the highest first."""
        return sorted({side for pair in self.comparisons for side in pair}, key=falling)

    @abstractmethod
    def sides(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the images that stand first (probes), and second (gallery), sorted."""

    def positions(self, resolution: Resolution) -> NDArray[np.int64]:
        """The images that have to be embedded at a resolution, sorted, int64 ``(M,)``."""
        needed = [
            side
            for pair in self.comparisons
            for side, shown in zip(self.sides(), pair, strict=True)
            if shown == resolution
        ]
        return np.unique(np.concatenate(needed))

    def view(self, position: int, resolution: Resolution) -> Image:
        """An image as the network sees it, uint8 ``(112, 112, 3)`` RGB.

        Raises:
            DataError: the image is not an aligned face of 112x112 px, and the resolution not None.
        """
        small = self.picture(position, resolution)
        return resize(small, FULL_RESOLUTION, FULL_RESOLUTION, self.up)

    def picture(self, position: int, resolution: Resolution) -> Image:
        """An image at its resolution, before it is enlarged for the network.

        Returns:
            uint8 ``(resolution, resolution, 3)`` RGB; ``(112, 112, 3)`` of native images, which are
            shown as the network sees them.

        Raises:
            DataError: see :meth:`view`.
        """
        image = self.images.image(position)
        if resolution is None:
            whole = resize(image, FULL_RESOLUTION, FULL_RESOLUTION, self.up)
            return apply_control(whole, self.control)
        if image.shape[:2] != (FULL_RESOLUTION, FULL_RESOLUTION):
            raise DataError(
                f"{self.images.describe(position)}: expected an aligned face of "
                f"{FULL_RESOLUTION}x{FULL_RESOLUTION} px, got {image.shape[1]}x{image.shape[0]}"
            )
        return resize(apply_control(image, self.control), resolution, resolution, self.down)

    def conditions(self, first: Resolution, second: Resolution) -> dict[str, Any]:
        """What a result says of how it was measured, its sides at two resolutions."""
        return {
            "setting": self.setting,
            "resolution": second if self.degraded == "second" else first,
            "gallery_resolution": second if self.degraded == "matrix" else None,
            "degraded": self.degraded,
            "down": str(self.down),
            "up": str(self.up),
            "flip": self.flip,
            "control": self.control,
        }

    def subset(self, share: float) -> Self:
        """A cheap version of the protocol, named ``<name>~<share>``, for a look at every epoch.

        Its numbers are no results of the protocol. It is the same at every call.

        Args:
            share: of the comparisons, above 0, up to 1.

        Raises:
            ConfigError: the share lies outside its range.
        """
        part = copy(self)
        part.name = f"{self.name}~{share:g}"
        part.reduce(share)
        return part

    @abstractmethod
    def reduce(self, share: float) -> None:
        """Keep a share of the comparisons; the arrays are replaced, never written to."""

    @abstractmethod
    def evaluate(
        self, embeddings: Mapping[Resolution, Embeddings], model: str
    ) -> list[ProtocolResult]:
        """One result per entry of ``comparisons``.

        Args:
            embeddings: float ``(len(images), D)`` for each of ``embedded_resolutions``; rows
                outside ``positions(resolution)`` are never read.
            model: name of the model behind them.

        Raises:
            DataError: an embedding is zero or not finite.
        """
