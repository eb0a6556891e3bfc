"""Which group each person or image belongs to, from a table of the user's own."""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import ImageSource
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import existing

_HEADER = ["name", "group"]


def image_groups(images: ImageSource, path: str | Path) -> NDArray[np.str_]:
    """The group of each image, str ``(len(images),)``, empty where the table does not say.

    A line of an image goes before one of its person.

    Args:
        images: the images of a protocol.
        path: a CSV file of lines ``name,group``, with or without that header; a name is that of a
            person, or of an image within its data set.

    Raises:
        DataError: the table is missing or malformed, or has no line for any of the images.
    """
    file = existing(path, "table of groups")
    table = _read(file)
    found = [
        table.get(images.name(i)) or table.get(images.person(i) or "") or ""
        for i in range(len(images))
    ]
    if not any(found):
        raise DataError(
            f"{file} has {len(table):,} names, none of an image such as {images.name(0)!r} or its "
            f"person ({images.person(0) or 'unknown to this list'})"
        )
    return np.asarray(found)


def _read(file: Path) -> dict[str, str]:
    try:
        with file.open(newline="", encoding="utf-8") as opened:
            rows = [row for row in csv.reader(opened) if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(
            f"{file}: expected CSV in UTF-8, got a file that is none: {error}"
        ) from None
    table: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        if len(row) != 2 or not all(cell.strip() for cell in row):
            raise DataError(
                f"{file}, line {number}: expected name,group, got {','.join(row)!r:.80}"
            )
        name, group = (cell.strip() for cell in row)
        if table.setdefault(name, group) != group:
            raise DataError(f"{file}: {name!r} is in two groups, {table[name]!r} and {group!r}")
    if rows and [cell.strip() for cell in rows[0]] == _HEADER:
        del table["name"]
    return table
