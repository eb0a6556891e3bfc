"""Image files that lists name, below one folder."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfr_lightning.datasets.base import Image, ImageSource
from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.datasets.encoded import read_image_file
from lrfr_lightning.datasets.image_folder import SUFFIXES
from lrfr_lightning.datasets.image_list import missing_images
from lrfr_lightning.utils.errors import DataError, first_few


class ListedImages(ImageSource):
    """The images of a list.

    Args:
        folder: what the names are relative to.
        names: path of each image.

    Raises:
        DataError: images are missing, or lie outside of the folder, also through links; the message
            has the count and the first five.
    """

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        missing = missing_images(folder, names)
        if missing:
            raise DataError(
                f"{len(missing)} of {len(names)} listed images are missing under {folder}: "
                f"{first_few(missing)}"
            )
        self.folder = folder
        self.names = np.asarray(names)

    def __len__(self) -> int:
        return len(self.names)

    def image(self, index: int) -> Image:
        """Image ``index`` as uint8 ``(H, W, 3)`` RGB."""
        return decode_image(read_image_file(self.describe(index)), self.names[index])

    def describe(self, index: int) -> str:
        """The image's path."""
        # a Path would intern its name, whose table grows by MBs in each worker of a long run
        return os.path.join(self.folder, self.names[index])

    def name(self, index: int) -> str:
        """The path below the folder, as the list has it."""
        return str(self.names[index])


def images_in(folder: Path) -> list[str]:
    """Sorted names of the image files directly in a folder, for parts that have no list.

    Raises:
        DataError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise DataError(f"expected a folder of images at {folder}, nothing is there")
    names = sorted(f.name for f in folder.iterdir() if f.suffix.lower() in SUFFIXES)
    if not names:
        raise DataError(f"{folder} holds no image ({', '.join(SUFFIXES)}); fill it")
    return names
