"""What a surveillance camera, or a photograph of a crowd, leaves of an embedded face."""

from pathlib import Path

import numpy as np

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.functional.resize import BICUBIC, resize


def native(image: Image, rng: np.random.Generator, low: int = 14, high: int = 40) -> Image:
    """A tight crop of a face, as small as the camera was far away.

    Args:
        image: uint8 ``(112, 112, 3)``.
        rng: draws the size.
        low: smallest height, px.
        high: largest height, px.

    Returns:
        uint8 ``(height, width, 3)``, the width 0.7 to 0.9 of the height.
    """
    height = int(rng.integers(low, high + 1))
    width = max(1, round(height * rng.uniform(0.7, 0.9)))
    return resize(np.ascontiguousarray(image[4:110, 14:98]), height, width, BICUBIC)


def write_image(path: Path, image: Image) -> None:
    """Write a JPEG and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(image))
