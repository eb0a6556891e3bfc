"""Files that have to keep their suffix while they are written, and appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from lrfr_lightning.utils.disk import naming_the_disk


@contextmanager
def partial_path(target: Path) -> Iterator[Path]:
    """Write the file yielded here, of the same name; it is moved to ``target`` at the end.

    Folders above it are made. An error or Ctrl-C removes what was written, and leaves a file that
    has the name as it is.

    Raises:
        DiskError: the disk cannot hold it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".export-") as folder:
        partial = Path(folder) / target.name
        with naming_the_disk(target, partial):
            yield partial
            os.replace(partial, target)
