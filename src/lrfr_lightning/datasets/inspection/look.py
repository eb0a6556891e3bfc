"""Every image decoded once: whether it can be, its size, and what it is known again by."""

import hashlib
import io
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError
from tqdm import tqdm

from lrfr_lightning.datasets.codec import FORMATS, MAX_PIXELS
from lrfr_lightning.datasets.inspection.inventory import EncodedImages
from lrfr_lightning.utils.errors import DataError

SIDE = 16
"""Of a difference hash, which has SIDE x SIDE bits."""


@dataclass(frozen=True)
class Look:
    """One image.

    Attributes:
        error: why it cannot be read; empty if it can.
        size: width and height, px.
        digest: SHA-256 of the stored bytes.
        bits: difference hash, see :func:`difference_hash`.
    """

    error: str = ""
    size: tuple[int, int] = (0, 0)
    digest: bytes = b""
    bits: NDArray[np.bool_] | None = None


def look_at(images: EncodedImages, workers: int = 2) -> list[Look]:
    """Decode all images to their last byte, under a progress bar.

    A JPEG that ends too early is unreadable here, where decoders elsewhere fill it up with grey.

    Args:
        images: the images.
        workers: threads; decoders run outside of Python's lock.
    """
    with ThreadPoolExecutor(max(1, workers)) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large images: the bound is ours to judge
        found = pool.map(partial(_look, images), range(len(images)))
        return list(tqdm(found, "decoding", len(images), unit="image", mininterval=1))


def difference_hash(image: PillowImage.Image) -> NDArray[np.bool_]:
    """Whether each of 16 x 17 grey cells is brighter than its left neighbour, bool ``(256,)``.

    Survives re-encoding and resizing, of which few bits change.
    """
    small = image.convert("L").resize((SIDE + 1, SIDE), PillowImage.Resampling.BOX)
    grey = np.asarray(small, np.int16)
    return np.asarray(grey[:, 1:] > grey[:, :-1]).ravel()


def near(
    one: Sequence[NDArray[np.bool_]], other: Sequence[NDArray[np.bool_]], bits: int = 16
) -> list[tuple[int, int]]:
    """Positions of all images of one set and of another whose hashes differ in at most ``bits``.

    Args:
        one: hashes ``(256,)`` of the first set.
        other: of the second.
        bits: how many of 256 may differ.
    """
    if not one or not other:
        return []
    first, second = (np.where(np.stack(side), 1, -1).astype(np.float32) for side in (one, other))
    alike = first.shape[1] - 2 * bits
    found = []
    for start in range(0, len(first), 1024):
        block = np.argwhere(first[start : start + 1024] @ second.T >= alike)
        found += [(start + int(i), int(j)) for i, j in block]
    return found


def _look(images: EncodedImages, index: int) -> Look:
    try:
        data = images.encoded(index)
        with PillowImage.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(f"claims {image.width}x{image.height} px")
            image.load()
            return Look("", image.size, hashlib.sha256(data).digest(), difference_hash(image))
    except UnidentifiedImageError:
        return Look(f"{len(data)} bytes that are no image")
    except Exception as error:  # damaged bytes raise whatever they lead to
        return Look(str(error) or type(error).__name__)
