"""Image resizing by a named kernel, with or without antialiasing.

With antialias the kernel widens with the shrink factor (Pillow); without, it keeps its width and
skips pixels (OpenCV). The two differ by many points of accuracy at 7 px, so a result names both.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from PIL import Image as PillowImage

from lrfr_lightning.functional.image import Image
from lrfr_lightning.utils.errors import ConfigError

KernelName = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]

_PILLOW = {
    "nearest": PillowImage.Resampling.NEAREST,
    "box": PillowImage.Resampling.BOX,
    "bilinear": PillowImage.Resampling.BILINEAR,
    "bicubic": PillowImage.Resampling.BICUBIC,
    "lanczos": PillowImage.Resampling.LANCZOS,
}
_OPENCV = {
    "nearest": cv2.INTER_NEAREST_EXACT,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


@dataclass(frozen=True)
class Kernel:
    """A resampling kernel.

    Attributes:
        name: ``nearest``, ``box``, ``bilinear``, ``bicubic`` (a=-0.5 with antialias, -0.75
            without, as the two libraries have it) or ``lanczos``.
        antialias: widen the kernel when shrinking.
    """

    name: KernelName = "bicubic"
    antialias: bool = True

    def __post_init__(self) -> None:
        if self.name not in (_PILLOW if self.antialias else _OPENCV):
            raise ConfigError(
                f"kernel {self.name!r} with antialias={self.antialias}: expected one of "
                f"{sorted(_PILLOW)} with antialias, {sorted(_OPENCV)} without"
            )

    def __str__(self) -> str:
        return f"{self.name}, {'antialias' if self.antialias else 'no antialias'}"


BICUBIC = Kernel("bicubic", antialias=True)
"""The library's default both ways, and the field's."""

TORCH_KERNELS = (Kernel("bilinear"), BICUBIC)
"""Those that torch has for uint8 images as well."""


def resize(image: Image, height: int, width: int, kernel: Kernel) -> Image:
    """Resize uint8 ``(H, W, 3)`` to uint8 ``(height, width, 3)``."""
    if image.shape[:2] == (height, width):
        return image
    if kernel.antialias:
        resized = PillowImage.fromarray(image).resize((width, height), _PILLOW[kernel.name])
    else:
        resized = cv2.resize(image, (width, height), interpolation=_OPENCV[kernel.name])
    return np.asarray(resized, dtype=np.uint8)


def degrade(image: Image, resolution: int, down: Kernel, up: Kernel) -> Image:
    """Shrink to ``resolution`` px a side and bring back to the image's own size.

    Args:
        image: uint8 ``(H, W, 3)``.
        resolution: side of the small image, px; at the image's own side nothing happens.
        down: kernel that shrinks.
        up: kernel that enlarges.

    Raises:
        ConfigError: ``resolution`` is below 1 or larger than the image.
    """
    height, width = image.shape[:2]
    check_resolution(resolution, height, width)
    if resolution == min(height, width):
        return image
    return resize(resize(image, resolution, resolution, down), height, width, up)


def check_resolution(resolution: int, height: int, width: int) -> None:
    """Refuse a side that an image cannot be shrunk to, px.

    Raises:
        ConfigError: ``resolution`` is below 1 or larger than the image.
    """
    if not 1 <= resolution <= min(height, width):
        raise ConfigError(
            f"resolution {resolution} px does not fit an image of {width}x{height} px; "
            f"expected 1..{min(height, width)}"
        )
