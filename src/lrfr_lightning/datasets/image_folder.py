"""Faces in a folder per identity, or wherever a list file says."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.encoded import MAX_IMAGE_BYTES, EncodedFaces
from lrfr_lightning.datasets.identities import in_order, number
from lrfr_lightning.datasets.image_list import check_listed, read_list
from lrfr_lightning.utils.errors import ConfigError, DataError, first_few
from lrfr_lightning.utils.paths import existing

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
"""Names of image files end in one of these, in any case; all other files are passed over."""


class ImageFolder(EncodedFaces):
    """Image files under one root.

    Without a list, every folder in ``root`` is an identity and the image files directly in it
    are its images. Names that start with a dot are passed over, links are followed. Labels follow
    the sorted names (by number if all names are integers), never the order of the directory.

    Attributes:
        labels: int64 ``(N,)``, 0..num_classes-1.
        identities: names of the folders, or the labels of the list, in order.
        root: the folder that holds the images.
    """

    def __init__(
        self, root: str | Path, image_list: str | Path | None = None, min_images: int = 1
    ) -> None:
        """Find the images; none is opened.

        Args:
            root: folder of the images; ``~`` and ``${VARIABLE}`` are replaced.
            image_list: text file of lines ``path<tab>label`` or, for paths without spaces,
                ``path<space>label``; paths are relative to ``root`` and stay inside it, labels are
                any text. Images keep the order of the list.
            min_images: identities with fewer images are left out, 1 or more.

        Raises:
            ConfigError: ``min_images`` is below 1.
            DataError: the root or the list is missing or empty, an identity has no image,
                or the list names images that are missing or lie outside the root.
        """
        if min_images < 1:
            raise ConfigError(f"ImageFolder.min_images: expected 1 or more, got {min_images}")
        self.root = existing(root, "folder of images").absolute()
        if image_list is None:
            paths, names = _scan(self.root)
        else:
            paths, names = read_list(existing(image_list, "list of images"))
            check_listed(self.root, paths)
        paths, names = _frequent(paths, names, min_images)
        self.labels, self.identities = number(names)
        self._paths = PackedPaths(paths)

    def encoded(self, index: int) -> bytes:
        """The bytes of image file ``index``.

        Raises:
            DataError: the file cannot be read or is longer than ``MAX_IMAGE_BYTES``.
        """
        try:
            with open(self._path(index), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > MAX_IMAGE_BYTES:
                    raise DataError(
                        f"{self.describe(index)} has {size} bytes, expected at most "
                        f"{MAX_IMAGE_BYTES}: it is no image of a face; remove it"
                    )
                return file.read(size)
        except OSError as error:
            raise DataError(f"cannot read image {self.describe(index)}: {error.strerror}") from None

    def describe(self, index: int) -> str:
        """The path of image ``index``."""
        return self._path(index)

    def _path(self, index: int) -> str:
        return os.path.join(self.root, self._paths[index])


class PackedPaths:
    """Many paths as one block of bytes.

    A list of Python strings would be copied page by page into every forked worker, because
    reading a string writes its reference count.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        encoded = [os.fsencode(path) for path in paths]
        self._ends: NDArray[np.int64] = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        self._text = b"".join(encoded)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        start = range(len(self))[index]
        return os.fsdecode(self._text[self._ends[start] : self._ends[start + 1]])


def _scan(root: Path) -> tuple[list[str], list[str]]:
    """Path relative to ``root`` and identity of every image, by identity, then by file name."""
    found = {identity: _image_names(root / identity) for identity in _identity_folders(root)}
    empty = [identity for identity, files in found.items() if not files]
    if empty:
        raise DataError(
            f"{len(empty)} identity folders in {root} hold no image directly in them "
            f"({', '.join(SUFFIXES)}): {first_few(empty)}; fill or remove them"
        )
    paths = [os.path.join(identity, file) for identity, files in found.items() for file in files]
    names = [identity for identity, files in found.items() for _ in files]
    return paths, names


def _identity_folders(root: Path) -> list[str]:
    try:
        with os.scandir(root) as entries:
            names = [e.name for e in entries if e.is_dir() and not e.name.startswith(".")]
    except OSError as error:
        raise DataError(f"cannot list folder of images {root}: {error.strerror}") from None
    if not names:
        raise DataError(
            f"folder of images {root} is empty: expected a folder per identity in it, found none"
        )
    return in_order(names)


def _image_names(folder: Path) -> list[str]:
    """Sorted names of the image files in a folder; the kind of an entry needs no stat call."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if _is_image_name(e.name) and e.is_file())
    except OSError as error:
        raise DataError(f"cannot list identity folder {folder}: {error.strerror}") from None


def _is_image_name(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _frequent(paths: list[str], names: list[str], least: int) -> tuple[list[str], list[str]]:
    """Only the images of identities that have at least ``least`` of them."""
    if least == 1:
        return paths, names
    counts = Counter(names)
    kept = [i for i, name in enumerate(names) if counts[name] >= least]
    if not kept:
        raise DataError(
            f"none of {len(counts)} identities has {least} images (min_images), "
            f"the largest has {max(counts.values())}; lower min_images"
        )
    return [paths[i] for i in kept], [names[i] for i in kept]
