"""Folders that appear whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lrfr_lightning.utils.disk import naming_the_disk
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import expand


@contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """Fill the folder yielded here; it gets the name ``path`` once the block ends without error.

    Until then it is called ``<path>.partial``; an error or Ctrl-C removes it.

    Raises:
        DataError: ``path`` exists and is no empty folder, or ``<path>.partial`` exists.
        DiskError: the disk cannot hold it.
    """
    target = expand(path).absolute()
    partial = target.with_name(target.name + ".partial")
    _check_free(target, partial)
    partial.mkdir(parents=True)
    try:
        with naming_the_disk(target, partial):
            yield partial
        if target.exists():
            target.rmdir()  # raises if someone filled it in the meantime
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _check_free(target: Path, partial: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise DataError(f"expected a new or empty folder at {target}, a file or link is there")
    if target.exists() and any(target.iterdir()):
        raise DataError(
            f"expected a new or empty folder, {target} has files in it; "
            "name another folder or empty this one"
        )
    if partial.exists():
        raise DataError(
            f"{partial} exists: another run is writing it or was killed; "
            "if none is running, delete it and start again"
        )
