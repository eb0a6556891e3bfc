"""Paths as users write them in YAML."""

import os
import re
from pathlib import Path

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
