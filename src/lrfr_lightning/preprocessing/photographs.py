"""Photographs in a tree of folders: which there are, and their pixels."""

import os
import stat
from pathlib import Path

from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.datasets.encoded import MAX_IMAGE_BYTES
from lrfr_lightning.functional.image import Image
from lrfr_lightning.utils.errors import DataError


def find_files(root: Path) -> list[str]:
    """Paths of all files below a folder, relative to it, sorted; links are followed.

    Every file counts, whatever its name, but for names that start with a dot.

    Raises:
        DataError: a folder cannot be listed, a link leads back to a folder above it, or there is
            no file.
    """
    found = _files(root, "", frozenset())
    if not found:
        raise DataError(f"expected photographs in {root} or folders below it, found no file")
    return sorted(found)


def _files(root: Path, folder: str, above: frozenset[tuple[int, int]]) -> list[str]:
    path = root / folder
    try:
        here = os.stat(path)
        with os.scandir(path) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"cannot list folder {path}: {error.strerror}") from None
    key = (here.st_dev, here.st_ino)
    if key in above:
        raise DataError(f"{path} is a link to a folder above it: remove it")
    found = []
    for entry in visible:
        name = os.path.join(folder, entry.name)
        found += _files(root, name, above | {key}) if entry.is_dir() else [name]
    return found


def read_photograph(path: Path) -> Image:
    """A file as uint8 ``(H, W, 3)`` RGB, turned as its Exif says.

    Raises:
        DataError: it cannot be read or decoded, or is animated; the message does not name it.
    """
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise DataError("is no regular file")
        if found.st_size > MAX_IMAGE_BYTES:
            raise DataError(f"has {found.st_size} bytes, expected at most {MAX_IMAGE_BYTES}")
        return decode_image(path.read_bytes(), "it")
    except OSError as error:
        raise DataError(f"cannot read it: {error.strerror}") from None
