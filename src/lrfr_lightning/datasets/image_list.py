"""Text files that list images: a path and a label per line."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from lrfr_lightning.utils.errors import DataError, first_few
from lrfr_lightning.utils.reading import read_lines


def read_list(path: Path) -> tuple[list[str], list[str]]:
    """Paths and labels of a list of lines ``path<tab>label`` or ``path<space>label``, UTF-8.

    Raises:
        DataError: the file is no UTF-8 text, is empty, or a line has another form.
    """
    images, labels = [], []
    for number, line in enumerate(read_lines(path, "list of images"), start=1):
        if line.strip():
            image, label = _split(line, f"{path}, line {number}")
            images.append(image)
            labels.append(label)
    if not images:
        raise DataError(f"list of images {path} is empty: expected lines 'path<tab>label'")
    return images, labels


def _split(line: str, where: str) -> tuple[str, str]:
    fields = line.split("\t") if "\t" in line else line.split()
    if len(fields) != 2 or not all(field.strip() for field in fields):
        raise DataError(
            f"{where}: expected 'path<tab>label', or 'path label' for a path without spaces, "
            f"got {line[:80]!r}"
        )
    return fields[0].strip(), fields[1].strip()


def check_listed(root: Path, paths: Sequence[str]) -> None:
    """Check that listed images lie inside ``root`` and exist; each folder is read once.

    Raises:
        DataError: some do not; the message counts them and names five.
    """
    missing = missing_images(root, paths)
    if missing:
        raise DataError(
            f"{len(missing)} of {len(paths)} listed images are not in {root}: "
            f"{first_few(missing)}; give the root the list was made for, or correct the list"
        )


def missing_images(root: Path, paths: Sequence[str]) -> list[str]:
    """Listed images that are not below ``root``; each folder is read once.

    Raises:
        DataError: some lie outside of the root; the message counts them and names five.
    """
    real_root = os.path.realpath(root)
    folders: defaultdict[str, list[str]] = defaultdict(list)
    outside = [path for path in paths if os.path.isabs(path) or ".." in path.split("/")]
    _refuse_outside(root, outside)
    for path in paths:
        folder, name = os.path.split(path)
        folders[folder].append(name)
    missing: list[str] = []
    for folder, names in folders.items():
        files, links = _entries(os.path.join(real_root, folder))
        linked = [folder, *(os.path.join(folder, name) for name in names if name in links)]
        outside += [path for path in linked if not _inside(real_root, path)]
        missing += [os.path.join(folder, name) for name in names if name not in files]
    _refuse_outside(root, outside)
    return missing


def _refuse_outside(root: Path, outside: list[str]) -> None:
    if outside:
        raise DataError(
            f"{len(outside)} listed paths leave the root {root}: {first_few(outside)}; "
            "expected paths relative to the root that stay inside it, also through links"
        )


def _entries(folder: str) -> tuple[set[str], set[str]]:
    """Names of the files in a folder, and of those that are links; none if it cannot be read."""
    files, links = set(), set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file():
                    files.add(entry.name)
                if entry.is_symlink():
                    links.add(entry.name)
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return set(), set()
    return files, links


def _inside(real_root: str, path: str) -> bool:
    try:
        real = os.path.realpath(os.path.join(real_root, path))
    except ValueError:  # a NUL in the path: it is reported as missing
        return True
    return os.path.commonpath([real_root, real]) == real_root
