"""Files that a stranger may have made: how much of one is read, and as what."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lrfr_lightning.utils.errors import DataError

MAX_JSON_BYTES = 1 << 28
"""Longest JSON file that is read, bytes; a large results file with pictures has some 10 million."""

MAX_LIST_BYTES = 1 << 31
"""Longest list that is read, bytes; one of 42 million images has some 1,700 million."""

MAX_LINE_BYTES = 1 << 16
"""Longest line of a list, bytes; a path has at most 4,096."""


def read_bounded(path: str | Path, most: int, what: str) -> bytes:
    """The content of a regular file; a pipe or device is not waited for.

    Args:
        path: the file.
        most: bytes that it may have.
        what: its role, for the error.

    Raises:
        DataError: it cannot be read, is no file or longer.
    """
    try:
        with open(path, "rb", opener=_at_once) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise DataError(f"{what} {path} is no regular file")
            if found.st_size > most:
                raise DataError(
                    f"{what} {path} has {found.st_size} bytes, expected at most {most}: it is none"
                )
            return file.read(found.st_size)
    except DataError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DataError(f"cannot read {what} {path}: {_reason(error)}") from None


def parse_json(text: str | bytes, constant: Callable[[str], Any] | None = None) -> Any:
    """What JSON holds.

    Args:
        text: the JSON.
        constant: what becomes of ``NaN``, ``Infinity`` and ``-Infinity``; by default numbers.

    Raises:
        ValueError: it is none, or nested deeper than is read.
    """
    try:
        return json.loads(text, parse_constant=constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_lines(path: str | Path, what: str) -> Iterator[str]:
    """The lines of a UTF-8 text, one at a time, without their ends.

    Raises:
        DataError: it cannot be read, is no such text, or it or a line is too long.
    """
    try:
        with open(path, "rb", opener=_at_once) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_LIST_BYTES:
                raise DataError(
                    f"{what} {path}: expected a text file of at most {MAX_LIST_BYTES} bytes"
                )
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    raise DataError(
                        f"{what} {path}, line {number}: expected text of at most {MAX_LINE_BYTES} "
                        f"bytes, got {line[:40]!r}..."
                    )
                yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except DataError:
        raise
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {what} {path} as UTF-8 text: {_reason(error)}") from None


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # Windows has none


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
