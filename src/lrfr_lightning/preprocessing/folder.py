"""A folder of photographs to a folder of aligned faces."""

import os
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from lrfr_lightning.preprocessing.aligner import FaceAligner
from lrfr_lightning.preprocessing.photographs import find_files
from lrfr_lightning.preprocessing.progress import Progress
from lrfr_lightning.preprocessing.record import Row
from lrfr_lightning.preprocessing.workers import SUFFIXES, Form, Work, run, size_of
from lrfr_lightning.utils.errors import ConfigError, DataError, first_few
from lrfr_lightning.utils.paths import existing, expand


def align_folder(
    folder: str | Path,
    output: str | Path,
    aligner: FaceAligner,
    form: Form = "jpeg",
    workers: int = 1,
) -> list[Row]:
    """Align every file in a folder and the folders below it.

    The output has the same folders with the crops in them, ``alignment.csv`` with a row for every
    file, sorted by path, whatever became of it, and ``alignment.json`` with the settings. A run
    that was stopped or killed goes on when it is started again and ends with the same files. So
    does a finished one after photographs were added, removed or replaced; one replaced by another
    of the same length is taken for the old one.

    Args:
        folder: the photographs; names that start with a dot are passed over.
        output: a new folder, or one begun with the same settings.
        aligner: what aligns them.
        form: of the crops, which have their photograph's path, with ``.jpg`` or ``.png`` added
            unless it ends so.
        workers: processes; 0 works in this one.

    Returns:
        The rows of ``alignment.csv``.

    Raises:
        ConfigError: an argument lies outside its range, one of the folders lies in the other, or
            the output was begun with other settings.
        DataError: there is no photograph, two of them have the same crop, or the output holds
            other files.
    """
    if workers < 0 or form not in SUFFIXES:
        raise ConfigError(
            f"expected workers of 0 or more and the form {' or '.join(SUFFIXES)}, "
            f"got {workers} and {form!r}"
        )
    root, target = existing(folder, "folder of photographs").absolute(), expand(output).absolute()
    _check_apart(root, target)
    work, names = Work(root, aligner, form), find_files(root)
    _check_crops(work, names)
    progress = Progress(target, aligner.settings() | {"folder": str(root), "form": form})
    sizes = {name: str(size_of(root / name)) for name in names}
    rows = progress.finished(sizes)
    progress.start(rows.values())
    left = [name for name in names if name not in rows]
    results = run(work, left, min(workers, len(left)))
    for row, crop in tqdm(results, "align", len(names), initial=len(rows), unit="photo"):
        progress.add(row, crop)
        rows[row["path"]] = row
    ordered = [rows[name] for name in names]
    progress.finish(ordered)
    return ordered


def _check_apart(root: Path, target: Path) -> None:
    if not root.is_dir():
        raise DataError(f"expected a folder of photographs, {root} is a file")
    one, other = root.resolve(), target.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise ConfigError(f"output {target} and photographs {root}: neither may lie in the other")


def _check_crops(work: Work, names: list[str]) -> None:
    """Each crop has a path of its own, and no folder has it."""
    crops = Counter(map(work.crop_name, names))
    folders = {str(above) for name in names for above in Path(name).parents}
    twice = [crop for crop, count in crops.items() if count > 1 or crop in folders]
    if twice:
        raise DataError(
            f"{len(twice)} crops would take the place of another crop or of a folder: "
            f"{first_few([os.fsencode(crop).decode(errors='replace') for crop in twice])}; "
            "rename their photographs"
        )
