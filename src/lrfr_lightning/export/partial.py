"""Files that have to keep their suffix while they are written, and appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def partial_path(target: Path) -> Iterator[Path]:
    """Write the file yielded here, of the same name; it is moved to ``target`` at the end.

    Folders above it are made. An error or Ctrl-C removes what was written, and leaves a file that
    has the name as it is.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".export-") as folder:
        partial = Path(folder) / target.name
        yield partial
        os.replace(partial, target)
