"""Labeled Faces in the Wild: aligned images and its published lists.

Source: Huang et al., "Labeled Faces in the Wild", UMass Amherst TR 07-49, 2007. ``pairs.txt`` is
View 2 (ten folds), ``pairsDevTrain.txt``/``pairsDevTest.txt`` and the ``people*.txt`` lists are
View 1, whose two halves share no person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import FaceDataset, Image
from lrfr_lightning.datasets.listed import ListedImages
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.reading import read_lines

Part = Literal["all", "train", "held-out"]

_MOST = 1_000_000  # images that a list may name


class LFWImages(ListedImages):
    """Images in a folder for each person, ``Name/Name_0001.jpg``."""

    def person(self, index: int) -> str:
        """The name of the folder."""
        return self.name(index).partition("/")[0]


class LFWPeople(FaceDataset):
    """All images of the people in one of LFW's lists, to train on.

    Args:
        root: folder with ``images/`` and the lists.
        people: list of ``Name<TAB>count`` lines, for example ``peopleDevTrain.txt``.
        min_images: leaves out people with fewer images.
        part: ``all`` of them, the ``held-out`` tenth on which choices are made, or ``train``, the
            other nine tenths; see :func:`held_out`.

    Raises:
        DataError: root, list or images are missing, or nobody is left.
    """

    def __init__(
        self,
        root: str,
        people: str = "peopleDevTrain.txt",
        min_images: int = 1,
        part: Part = "all",
    ) -> None:
        folder = existing(root, "LFW root")
        listed = read_people(folder / people)
        members = _members(listed, part)
        counts = {name: listed[name] for name in members if listed[name] >= min_images}
        if not counts:
            raise DataError(
                f"{people}, part {part!r}, has nobody with at least {min_images} images"
            )
        self.identities = sorted(counts)
        per_person = [counts[name] for name in self.identities]
        self.labels = np.repeat(np.arange(len(self.identities)), per_person)
        self._images = ListedImages(
            folder / "images",
            [image_name(name, i + 1) for name in self.identities for i in range(counts[name])],
        )

    @property
    def names(self) -> NDArray[np.str_]:
        """``Name/Name_0001.jpg`` of each image, str ``(N,)``."""
        return self._images.names

    def image(self, index: int) -> Image:
        """Image ``index`` as uint8 ``(H, W, 3)`` RGB."""
        return self._images.image(index)

    def describe(self, index: int) -> str:
        """The image's path."""
        return self._images.describe(index)

    def name(self, index: int) -> str:
        """``Name/Name_0001.jpg``."""
        return self._images.name(index)


def held_out(people: Iterable[str]) -> set[str]:
    """A tenth of the people, always the same ones of a list, whatever its order.

    Choices between recipes are made on them, so that the test pairs are looked at once only.
    """
    names = sorted(people)
    order = np.random.default_rng(0).permutation(len(names))
    return {names[i] for i in order[: len(names) // 10]}


def _members(people: Iterable[str], part: Part) -> set[str]:
    if part not in get_args(Part):
        raise ConfigError(f"part of the people: expected one of {get_args(Part)}, got {part!r}")
    everyone, chosen = set(people), held_out(people)
    return {"all": everyone, "held-out": chosen, "train": everyone - chosen}[part]


def image_name(person: str, number: int) -> str:
    """Path of an image below the images folder.

    >>> image_name("Ann_Veneman", 3)
    'Ann_Veneman/Ann_Veneman_0003.jpg'
    """
    return f"{person}/{person}_{number:04d}.jpg"


def read_people(path: Path) -> dict[str, int]:
    """Number of images of each person in a ``people*.txt`` list.

    Raises:
        DataError: missing file, malformed line, or more images than a list of LFW's kind can have.
    """
    found: dict[str, int] = {}
    lines = read_lines(existing(path, "LFW people list"), "LFW people list")
    for number, line in enumerate(lines, start=1):
        name, tab, count = line.partition("\t")
        # the header of people.txt has folds, those of the View 1 lists a bare count
        if not tab or "\t" in count or name.isdigit():
            continue
        if not _is_name(name) or not _is_number(count):
            raise DataError(f"{path}, line {number}: expected 'name<TAB>count', got {line[:80]!r}")
        found[name] = int(count)
    if sum(found.values()) > _MOST:
        raise DataError(f"{path} names {sum(found.values())} images, expected at most {_MOST}")
    return found


@dataclass(frozen=True)
class NamedPair:
    """A pair of a list, by image names."""

    first: str
    second: str
    same: bool


def read_pairs(path: Path) -> tuple[list[NamedPair], int]:
    """Read a pairs list in LFW's format.

    The first line is ``folds<TAB>n`` or ``n``; then, per fold, ``n`` genuine lines
    ``name<TAB>i<TAB>j`` and ``n`` impostor lines ``name1<TAB>i<TAB>name2<TAB>j``.

    Returns:
        The pairs in list order and the number of folds (1 if the list has none).

    Raises:
        DataError: missing file, malformed line, or another number of pairs than the header says.
    """
    lines = read_lines(existing(path, "pairs list"), "pairs list")
    rows = [line.split("\t") for line in lines if line.strip()]
    header = [int(cell) for cell in rows[0] if _is_number(cell)] if rows else []
    if not 1 <= len(header) <= 2 or min(header) < 1:
        raise DataError(f"{path}: expected a first line 'folds<TAB>n' or 'n'")
    folds, per_class = (header[0], header[1]) if len(header) == 2 else (1, header[0])
    pairs = [_pair(path, number, row) for number, row in enumerate(rows[1:], start=2)]
    if len(pairs) != 2 * folds * per_class:
        raise DataError(
            f"{path}: the first line promises {2 * folds * per_class} pairs, got {len(pairs)}"
        )
    return pairs, folds


def _pair(path: Path, number: int, row: list[str]) -> NamedPair:
    names, numbers = [row[0], *row[2:-1]], [*row[1:2], row[-1]]
    if len(row) not in (3, 4) or not all(map(_is_name, names)) or not all(map(_is_number, numbers)):
        raise DataError(
            f"{path}, line {number}: expected 'name<TAB>i<TAB>j' or "
            f"'name1<TAB>i<TAB>name2<TAB>j', got {'<TAB>'.join(row)[:200]!r}"
        )
    first, second = image_name(names[0], int(numbers[0])), image_name(names[-1], int(numbers[1]))
    return NamedPair(first, second, len(row) == 3)


def _is_name(text: str) -> bool:
    """Whether a folder below the images can be called so; no other folder is reached by it."""
    return text not in ("", ".", "..") and "/" not in text and "\0" not in text


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 10
