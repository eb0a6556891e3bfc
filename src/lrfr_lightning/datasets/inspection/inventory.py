"""What a data set holds, and what its publisher says it holds."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lrfr_lightning.datasets.encoded import read_image_file
from lrfr_lightning.datasets.image_folder import SUFFIXES


class EncodedImages(Protocol):
    """Images that lie somewhere encoded, read by position."""

    def __len__(self) -> int:
        """How many there are."""

    def encoded(self, index: int) -> bytes:
        """The stored bytes of image ``index``, not decoded."""

    def name(self, index: int) -> str:
        """What image ``index`` is called within its data set."""


@dataclass(frozen=True)
class Inventory:
    """What lies at a path, nothing decoded.

    Attributes:
        images: all that are there.
        people: name of the person on each image; None where the data set does not say.
        found: counts by what is counted, for example ``images``.
        published: the publisher's counts, under the same names.
        missing: images that lists name and that are not there.
        absent: lists and folders that the publisher has and that are not there.
        shared: names of the people that two lists share, by what the lists are called.
    """

    images: EncodedImages
    people: list[str] | None = None
    found: dict[str, int] = field(default_factory=dict)
    published: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    shared: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """One way in which data sets lie on disk.

    Attributes:
        name: what users call it.
        lies_at: whether a path holds it; looks at a few names only.
        take: its inventory.
    """

    name: str
    lies_at: Callable[[Path], bool]
    take: Callable[[Path], Inventory]


class FileImages:
    """Image files below a folder.

    Args:
        root: the folder.
        names: their paths below it.
    """

    def __init__(self, root: Path, names: list[str]) -> None:
        self.root = root
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    def encoded(self, index: int) -> bytes:
        """The bytes of file ``index``.

        Raises:
            DataError: it cannot be read, or is longer than any image of a face.
        """
        return read_image_file(self.root / self.names[index])

    def name(self, index: int) -> str:
        """The path below the folder."""
        return self.names[index]


def image_files(root: Path) -> list[str]:
    """Paths below ``root`` of all image files in it, at any depth, sorted.

    Folders that are links are not entered.
    """
    return sorted(_below(root))


def _below(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        below = os.path.relpath(folder, root)
        for name in names:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield name if below == "." else f"{below}/{name}"
