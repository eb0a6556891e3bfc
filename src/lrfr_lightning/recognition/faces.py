"""Image files → faces as a network sees them, each with the resolution it really has."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.datasets.encoded import read_image_file
from lrfr_lightning.datasets.image_folder import SUFFIXES
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.resize import BICUBIC, resize
from lrfr_lightning.preprocessing.aligner import FaceAligner
from lrfr_lightning.protocols.base import FULL_RESOLUTION
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing

MIN_RESOLUTION = 7
"""Side of the smallest face that is looked at, px: the lowest that the protocols measure."""


@dataclass(frozen=True)
class Face:
    """A face as a network sees it.

    Attributes:
        image: uint8 ``(112, 112, 3)`` RGB.
        resolution: side of the face before it was brought to 112 px, at most that, px, 7..112.
    """

    image: Image
    resolution: int


def face_of(
    image: Image,
    name: str,
    resolution: int | None = None,
    aligner: FaceAligner | None = None,
) -> Face:
    """Bring a face to 112 px, bicubic with antialias both ways, as the protocols do.

    Args:
        image: uint8 ``(S, S, 3)`` RGB, an aligned face of any side from 7 px; with an aligner a
            photograph, uint8 ``(H, W, 3)``.
        name: which image it is, for the error.
        resolution: shrink the face to this side first, px, 7..112; a smaller one stays as it is.
        aligner: finds the face in a photograph, whose side there is its resolution.

    Raises:
        ConfigError: a resolution outside 7..112.
        DataError: without an aligner the image is not square; no face is found; the face is
            smaller than 7 px.
    """
    check_resolution(resolution)
    crop, own = _found(image, name, aligner) if aligner else _whole(image, name)
    side = min(own, resolution or FULL_RESOLUTION, FULL_RESOLUTION)
    if side < len(crop) and side < own:
        crop = resize(crop, side, side, BICUBIC)
    return Face(resize(crop, FULL_RESOLUTION, FULL_RESOLUTION, BICUBIC), side)


def cropped(image: Image, name: str) -> Image:
    """An image that is an aligned face itself, ``(S, S, 3)``.

    Raises:
        DataError: it cannot be one: not square, smaller than 7 px, or no such array.
    """
    _check_pixels(image, name)
    height, width = image.shape[:2]
    if height != width:
        raise DataError(
            f"{name}: expected a cropped face, which is square, got {width}x{height} px; "
            "let the face be found in it (--align mtcnn), or cut it out with lrfr align"
        )
    _check_side(height, name)
    return image


def _whole(image: Image, name: str) -> tuple[Image, int]:
    return cropped(image, name), len(image)


def _found(image: Image, name: str, aligner: FaceAligner) -> tuple[Image, int]:
    """The aligned face of a photograph, and its side there, px."""
    _check_pixels(image, name)
    found = aligner(image)
    if found.crop is None:
        raise DataError(f"{name}: {found.reason}")
    side = round(found.resolution or min(image.shape[:2]))
    _check_side(side, name)
    return found.crop, side


def _check_pixels(image: Image, name: str) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise DataError(
            f"{name}: expected uint8 (H, W, 3) RGB, got {image.dtype} {tuple(image.shape)}"
        )


def _check_side(side: int, name: str) -> None:
    if side < MIN_RESOLUTION:
        raise DataError(
            f"{name}: expected a face of at least {MIN_RESOLUTION} px a side, "
            f"got {side}x{side} px, in which nobody can be recognised"
        )


def read_face(
    path: Path, resolution: int | None = None, aligner: FaceAligner | None = None
) -> Face:
    """The face in an image file; see :func:`face_of`.

    Raises:
        ConfigError: a resolution outside 7..112.
        DataError: the file cannot be read or decoded, or gives no face.
    """
    return face_of(decode_image(read_image_file(path), str(path)), str(path), resolution, aligner)


def image_files(paths: Sequence[str]) -> list[Path]:
    """Image files as named, and those below each folder, sorted.

    Raises:
        DataError: a path does not exist, or a folder has no image in it.
    """
    return [file for path in paths for file in _files(existing(path, "image"))]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    if not found:
        raise DataError(f"{path} holds no image ({', '.join(SUFFIXES)}); fill it")
    return found


def check_resolution(resolution: int | None) -> None:
    """Refuse a side that no face is shrunk to, px.

    Raises:
        ConfigError: it lies outside 7..112.
    """
    if resolution is not None and not MIN_RESOLUTION <= resolution <= FULL_RESOLUTION:
        raise ConfigError(
            f"expected a resolution of {MIN_RESOLUTION}..{FULL_RESOLUTION} px, got {resolution}"
        )


def stack(faces: Sequence[Face]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """uint8 ``(N, 3, 112, 112)``."""
    return np.stack([face.image.transpose(2, 0, 1) for face in faces])
