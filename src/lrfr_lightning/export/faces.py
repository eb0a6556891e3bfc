"""Faces on which an exported file is held against its network."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lrfr_lightning.datasets.base import Image, ImageSource
from lrfr_lightning.datasets.embedded import EmbeddedFaces
from lrfr_lightning.datasets.image_folder import SUFFIXES
from lrfr_lightning.datasets.listed import ListedImages
from lrfr_lightning.functional.resize import BICUBIC, degrade
from lrfr_lightning.protocols.base import FULL_RESOLUTION
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import existing

RESOLUTIONS = (112, 56, 28, 14, 7)
"""Sides that an export is measured at, px."""

CHECKED = 32
"""Faces that an export is measured on."""

CALIBRATED = 3 * CHECKED
"""Faces for int8, whose ranges are those of two thirds of them."""


def check_faces(folder: str | None, count: int) -> list[Image]:
    """Aligned faces, uint8 ``(112, 112, 3)`` RGB, spread evenly over a folder.

    Args:
        folder: of aligned faces, at any depth; None draws embedded faces.
        count: how many; a folder may have fewer.

    Raises:
        DataError: no such folder, no image in it, or one that is not 112x112 px.
    """
    source = _embedded(count) if folder is None else _listed(existing(folder, "check images"))
    chosen = np.unique(np.linspace(0, len(source) - 1, count).astype(int))
    faces = [source.image(int(index)) for index in chosen]
    for index, face in zip(chosen, faces, strict=True):
        if face.shape[:2] != (FULL_RESOLUTION, FULL_RESOLUTION):
            raise DataError(
                f"{source.describe(int(index))}: expected an aligned face of {FULL_RESOLUTION}x"
                f"{FULL_RESOLUTION} px, got {face.shape[1]}x{face.shape[0]}"
            )
    return faces


def at_resolution(faces: list[Image], resolution: int) -> Tensor:
    """Shrunk to a side in px and brought back, bicubic with antialias: uint8 ``(N, 3, H, W)``."""
    shown = [degrade(face, resolution, BICUBIC, BICUBIC) for face in faces]
    return torch.from_numpy(np.stack(shown)).permute(0, 3, 1, 2)


def _embedded(count: int) -> ImageSource:
    return EmbeddedFaces(max(2, count), 1, "test", cache=False)


def _listed(folder: Path) -> ImageSource:
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    names = sorted(str(path.relative_to(folder)) for path in found)
    if not names:
        raise DataError(f"{folder} holds no image ({', '.join(SUFFIXES)}), at no depth")
    return ListedImages(folder, names)
