"""What an error of writing says of the disk."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lrfr_lightning.utils.errors import DiskError

_MB = 1e6
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota on the disk is used up",
    errno.EFBIG: "the file is longer than this process may write (ulimit -f)",
}


@contextmanager
def naming_the_disk(target: Path, partial: Path, needed: int | None = None) -> Iterator[None]:
    """Write ``partial`` here; arguments as of :func:`disk_error`.

    Raises:
        DiskError: in place of an error that the disk is the reason of.
    """
    try:
        yield
    except Exception as error:
        full = disk_error(error, target, partial, needed)
        if full is None:
            raise
        raise full from error


def disk_error(
    error: Exception, target: Path, partial: Path, needed: int | None = None
) -> DiskError | None:
    """The error that names disk, path and sizes, if it was the disk that failed; else None.

    Args:
        error: what writing raised.
        target: the file or folder that was wanted.
        partial: what there is of it; it may get longer here, remove it afterwards.
        needed: bytes of the whole, where they are known.
    """
    written = _size(partial)
    number = _number(error) or _number_of_more(partial)
    if number is None:
        return None
    disk = mount_point(target)
    free = shutil.disk_usage(disk).free + written  # it will be removed
    size = "" if needed is None else f" of {needed / _MB:.1f} MB"
    return DiskError(
        number,
        f"cannot write {target.absolute()}: {_REASONS[number]}; disk {disk}, "
        f"{free / _MB:.1f} MB free, failed after {written / _MB:.1f} MB{size}. Free some space or "
        "choose a path on another disk; what has this name is as it was",
    )


def _size(path: Path) -> int:
    """Bytes of a file, or of the files in a folder; 0 for nothing."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def mount_point(path: Path) -> Path:
    """The folder at which the disk of a path, which need not exist, is mounted."""
    folder = path.absolute().parent
    while not os.path.ismount(folder):
        folder = folder.parent
    return folder


def _number(error: BaseException | None) -> int | None:
    """The first error number of a chain that speaks of the disk's size."""
    while error is not None:
        # what is written in Rust, as safetensors is, has the number in its words alone
        found = re.search(r"\(os error (\d+)\)", str(error))
        number = error.errno if isinstance(error, OSError) else found and int(found[1])
        if number in _REASONS:
            return number
        error = error.__cause__ or error.__context__
    return None


def _number_of_more(partial: Path) -> int | None:
    """Ask the disk itself: torch and NumPy raise errors without its number."""
    more = partial / "more" if partial.is_dir() else partial
    try:
        with open(more, "ab") as file:
            file.write(bytes(1 << 20))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return _number(error)
    return None
