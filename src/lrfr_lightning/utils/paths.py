"""Paths as users write them in YAML, and files that appear whole or not at all."""

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lrfr_lightning.utils.disk import naming_the_disk
from lrfr_lightning.utils.errors import ConfigError, DataError


def expand(path: str | Path) -> Path:
    """Replace ``~`` and ``${VARIABLE}`` in a path.

    Raises:
        ConfigError: a variable of the path is not set in the environment.
    """
    text = os.path.expandvars(os.path.expanduser(str(path)))
    unset = re.search(r"\$\{?(\w+)", text)
    if unset:
        raise ConfigError(
            f"path {str(path)!r} uses the environment variable {unset[1]}, which is not set; "
            f"set it (export {unset[1]}=/where/the/data/lies) or write the full path"
        )
    return Path(text)


def existing(path: str | Path, what: str) -> Path:
    """Expand a path that has to exist; ``what`` names its role in the error.

    Raises:
        DataError: nothing lies at the path.
    """
    expanded = expand(path)
    if not expanded.exists():
        raise DataError(f"{what} not found: expected it at {expanded.absolute()}, nothing is there")
    return expanded


@contextmanager
def whole_file(path: str | Path, needed: int | None = None) -> Iterator[Path]:
    """Write the file yielded here; it gets the name ``path`` once the block ends without error.

    Folders above it are made. Until then a file that has the name stays as it is; an error or
    Ctrl-C removes what was written. Of several processes the last one's file stands.

    Args:
        path: where it shall lie.
        needed: bytes that it will have, for the error; None where nobody knows.

    Raises:
        DiskError: the disk cannot hold it.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex}.partial")
    try:
        with naming_the_disk(target, partial, needed):
            yield partial
            os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
