"""One report on a data set: what it is, what is there, and what it shares with a training set."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.datasets.inspection.inventory import EncodedImages, Inventory
from lrfr_lightning.datasets.inspection.layouts import recognise
from lrfr_lightning.datasets.inspection.look import Look, look_at, near
from lrfr_lightning.utils.paths import existing, whole_file

_CELL, _COLUMNS = 112, 8


@dataclass(frozen=True)
class Shared:
    """What two data sets share.

    Attributes:
        people: names that both have; case and underscores do not count.
        same_files: names of images with the same bytes, ``(here, there)``.
        near_duplicates: of further images that look the same, by difference hash.
    """

    people: list[str]
    same_files: list[tuple[str, str]]
    near_duplicates: list[tuple[str, str]]


@dataclass(frozen=True)
class DataReport:
    """What is known of a data set; plain data, to be written as JSON.

    Attributes:
        path: where it lies.
        layout: which data set or form it is.
        found: counts by what is counted.
        published: the publisher's counts.
        missing: images that lists name and that are not there.
        absent: lists and folders that are not there.
        unreadable: why each unreadable image is, by its name.
        sizes: number of images by ``width x height``, px.
        shared_by_lists: people whom a training list and a test list of the set share.
        against: what it shares with the other data set, if one was given.
    """

    path: str
    layout: str
    found: dict[str, int]
    published: dict[str, int]
    missing: list[str]
    absent: list[str]
    unreadable: dict[str, str]
    sizes: dict[str, int] = field(default_factory=dict)
    shared_by_lists: dict[str, list[str]] = field(default_factory=dict)
    against: Shared | None = None


def check_data(
    path: str | Path,
    against: str | Path | None = None,
    grid: str | Path | None = None,
    workers: int = 2,
) -> DataReport:
    """Look at every image of a data set, and compare it with another, such as a training set.

    Args:
        path: the data set.
        against: the other one.
        grid: a PNG file to write, with 64 images of the set.
        workers: threads that decode.

    Raises:
        DataError: nothing is there, its layout is not known, or a list is malformed.
    """
    root = existing(path, "data set")
    layout, own = _inventory(root)
    # a wrong path ends the check before the first image is decoded
    other = None if against is None else _inventory(existing(against, "other data set"))[1]
    looks = look_at(own.images, workers)
    if grid is not None:
        write_grid(own.images, looks, Path(grid))
    sizes = Counter("{}x{}".format(*look.size) for look in looks if not look.error)
    return DataReport(
        path=str(path),
        layout=layout,
        found=own.found,
        published=own.published,
        missing=own.missing,
        absent=own.absent,
        unreadable={own.images.name(i): x.error for i, x in enumerate(looks) if x.error},
        sizes=dict(sizes.most_common(10)),
        shared_by_lists=own.shared,
        against=None if other is None else _shared(own, looks, other, workers),
    )


def write_grid(images: EncodedImages, looks: list[Look], path: Path) -> None:
    """Write a PNG of 8 x 8 readable images, drawn by a fixed seed, each 112 px."""
    readable = [i for i, look in enumerate(looks) if not look.error]
    order = np.random.default_rng(0).permutation(len(readable))[: _COLUMNS**2]
    shown = sorted(readable[i] for i in order)
    lines = max(1, -(-len(shown) // _COLUMNS))
    sheet = PillowImage.new("RGB", (_COLUMNS * _CELL, lines * _CELL))
    for place, index in enumerate(shown):
        face = PillowImage.fromarray(decode_image(images.encoded(index), images.name(index)))
        row, column = divmod(place, _COLUMNS)
        sheet.paste(face.resize((_CELL, _CELL)), (column * _CELL, row * _CELL))
    with whole_file(path) as partial:
        sheet.save(partial, "PNG")


def _inventory(root: Path) -> tuple[str, Inventory]:
    """Which layout it is, and what lies there."""
    layout = recognise(root)
    return layout.name, layout.take(root)


def _shared(own: Inventory, looks: list[Look], other: Inventory, workers: int) -> Shared:
    theirs = look_at(other.images, workers)
    pairs = _same_bytes(looks, theirs)
    alike = _alike(looks, theirs)
    named = [
        [(own.images.name(i), other.images.name(j)) for i, j in found]
        for found in (pairs, sorted(set(alike) - set(pairs)))
    ]
    return Shared(same_people(own.people, other.people), named[0], named[1])


def same_people(one: list[str] | None, other: list[str] | None) -> list[str]:
    """Names of ``one`` that ``other`` has too; case and underscores do not count.

    They are compared only where both sets have names, not bare numbers.
    """
    plain = {_plain(name) for name in other or () if not name.isdigit()}
    return sorted({name for name in one or () if _plain(name) in plain})


def _plain(name: str) -> str:
    return name.replace("_", " ").casefold().strip()


def _same_bytes(one: list[Look], other: list[Look]) -> list[tuple[int, int]]:
    place = {look.digest: j for j, look in enumerate(other) if not look.error}
    return [(i, place[x.digest]) for i, x in enumerate(one) if not x.error and x.digest in place]


def _alike(one: list[Look], other: list[Look]) -> list[tuple[int, int]]:
    first, second = (
        [(i, look.bits) for i, look in enumerate(looks) if look.bits is not None]
        for looks in (one, other)
    )
    found = near([bits for _, bits in first], [bits for _, bits in second])
    return [(first[i][0], second[j][0]) for i, j in found]
