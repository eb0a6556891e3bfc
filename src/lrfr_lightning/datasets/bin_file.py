"""InsightFace's verification sets: ``lfw.bin``, ``agedb_30.bin``, ``cfp_fp.bin``, ``calfw.bin`` ...

A pickle of ``(images, issame)``: 2N encoded images, as bytes or flat uint8 arrays, and N flags;
pair k is made of images 2k and 2k+1. Files written by Python 2 occur.
Source: https://github.com/deepinsight/insightface, recognition, evaluation sets.
"""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import Image, ImageSource
from lrfr_lightning.datasets.bin_pickle import Array, restricted_load
from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.reading import read_bounded

MAX_FILE_BYTES = 1 << 31
"""Longest file that is read, bytes; the largest published one has some 130 million."""

Flags = NDArray[np.bool_]


class BinImages(ImageSource):
    """The different images of a ``.bin`` file, each once, however many pairs show it.

    Args:
        path: the file.

    Attributes:
        first: int64 ``(N,)``, position of the first image of each pair.
        second: int64 ``(N,)``, position of the second.
        same: bool ``(N,)``, whether both show one person.

    Raises:
        DataError: missing, too long, or nothing but such a set; see
            :func:`~lrfr_lightning.datasets.bin_pickle.restricted_load`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = existing(path, ".bin verification set")
        images, self.same = read_bin(self.path)
        numbers: dict[bytes, int] = {}
        shown = [numbers.setdefault(data, len(numbers)) for data in images]
        self.first, self.second = np.asarray(shown, np.int64).reshape(-1, 2).T
        self._first_seen = np.unique(shown, return_index=True)[1]
        self._encoded = list(numbers)

    def __len__(self) -> int:
        return len(self._encoded)

    def image(self, index: int) -> Image:
        """Image ``index`` as uint8 ``(H, W, 3)`` RGB."""
        return decode_image(self._encoded[index], self.describe(index))

    def encoded(self, index: int) -> bytes:
        """Image ``index`` as it is stored."""
        return self._encoded[index]

    def describe(self, index: int) -> str:
        """Its number in the file, and the file."""
        return f"{self.name(index)} of {self.path}"

    def name(self, index: int) -> str:
        """Its number in the file, from 0, where it first stands there."""
        return f"image {self._first_seen[index]}"


def bin_files(folder: str | Path) -> list[Path]:
    """The ``.bin`` files directly in a folder, by name.

    Raises:
        DataError: there is none.
    """
    found = sorted(existing(folder, "folder of .bin verification sets").glob("*.bin"))
    if not found:
        raise DataError(f"expected .bin verification sets in {folder}, found none directly in it")
    return found


def read_bin(path: Path) -> tuple[list[bytes], Flags]:
    """Encoded images, 2N, and whether each pair of neighbours shows one person, bool ``(N,)``.

    Raises:
        DataError: the file is no such set, or asks for code.
    """
    data = read_bounded(path, MAX_FILE_BYTES, "verification set")
    contents = restricted_load(data, path)
    if not isinstance(contents, tuple | list) or len(contents) != 2:
        raise DataError(f"{path}: expected (images, issame), got {type(contents).__name__}")
    images, flags = (_entries(part, path) for part in contents)
    if not flags or len(images) != 2 * len(flags):
        raise DataError(
            f"{path}: expected two images for each of {len(flags)} pairs, got {len(images)} images"
        )
    same = np.asarray([_flag(value, path) for value in flags])
    # an object that stands in many places is copied once
    made: dict[int, bytes] = {}
    for number, image in enumerate(images):
        if id(image) not in made:
            made[id(image)] = _encoded(image, number, path)
    return [made[id(image)] for image in images], same


def write_bin(path: str | Path, images: Sequence[bytes], same: Flags, protocol: int = 4) -> None:
    """Write such a file.

    Args:
        path: the file.
        images: encoded images, 2N; pair k is made of images 2k and 2k+1.
        same: bool ``(N,)``.
        protocol: of the pickle; up to 2 can be read by Python 2.

    Raises:
        DataError: the numbers of images and flags do not fit.
    """
    if len(images) != 2 * len(same):
        raise DataError(f"expected {2 * len(same)} images for {len(same)} pairs, got {len(images)}")
    Path(path).write_bytes(pickle.dumps((list(images), same.tolist()), protocol=protocol))


def _entries(part: Any, path: Path) -> list[Any]:
    """A list, or the elements of an array of flags."""
    if isinstance(part, Array) and part.code in ("b1", "u1"):
        return list(part.data)
    if isinstance(part, tuple | list):
        return list(part)
    raise DataError(f"{path}: expected lists of images and flags, got {type(part).__name__}")


def _flag(value: Any, path: Path) -> bool:
    if not isinstance(value, int) or value not in (0, 1):
        shown = repr(value)[:40] if isinstance(value, int | bytes | str) else type(value).__name__
        raise DataError(f"{path}: expected flags True or False, got {shown}")
    return bool(value)


def _encoded(image: Any, number: int, path: Path) -> bytes:
    if isinstance(image, bytes | bytearray):
        return bytes(image)
    if isinstance(image, Array) and image.code == "u1" and image.shape == (len(image.data),):
        return bytes(image.data)
    raise DataError(
        f"{path}, image {number}: expected encoded bytes or a flat uint8 array, "
        f"got {type(image).__name__}"
    )
