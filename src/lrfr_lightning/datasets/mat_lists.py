"""Lists of names and numbers in MATLAB files, as QMUL-SurvFace and TinyFace publish theirs.

Files of version 5 to 7 hold numbers and text, no code. Their compressed parts are inflated within
a bound before anything is built from them.
"""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, savemat

from lrfr_lightning.utils.errors import DataError, first_few
from lrfr_lightning.utils.paths import existing

MAX_BYTES = 2**27
"""More than ten times the largest published list, inflated."""

_HEADER, _COMPRESSED, _CHUNK = 128, 15, 2**20


def mat_names(path: Path, key: str, columns: int = 1) -> NDArray[np.str_]:
    """A cell array of file names.

    Args:
        path: the ``.mat`` file.
        key: the variable in it.
        columns: names per row.

    Returns:
        str ``(N, columns)``.

    Raises:
        DataError: no such file or variable, another shape, or a name that is none: empty, no text,
            or with a folder in it.
    """
    cells = _rows(path, key, columns)
    names = np.asarray([_text(cell) for cell in cells.ravel()]).reshape(cells.shape)
    wrong = [name for name in names.ravel() if not name or Path(name).name != name]
    if wrong:
        raise DataError(
            f"{path}, {key}: expected names of image files, got {len(wrong)} that are none: "
            f"{first_few([repr(str(name)) for name in wrong])}"
        )
    return names


def mat_numbers(path: Path, key: str) -> NDArray[np.int64]:
    """A column of whole numbers from 0, int64 ``(N,)``.

    Raises:
        DataError: no such file or variable, or something else in it.
    """
    cells = _rows(path, key, 1)[:, 0]
    try:
        values = np.asarray([np.asarray(cell, np.float64).item() for cell in cells])
    except (TypeError, ValueError):
        values = np.asarray([np.nan])
    if not (np.isfinite(values) & (values >= 0) & (values == np.floor(values))).all():
        raise DataError(f"{path}, {key}: expected whole numbers from 0, one per row")
    return values.astype(np.int64)


def write_mat(path: Path, **lists: NDArray[Any]) -> None:
    """Write names as cell arrays and numbers as columns, in the form that is read here."""
    columns = {key: rows.reshape(len(rows), -1) for key, rows in lists.items()}
    cells = {
        key: rows.astype(object) if rows.dtype.kind == "U" else rows.astype(np.float64)
        for key, rows in columns.items()
    }
    savemat(path, cells, do_compression=True)


def _rows(path: Path, key: str, columns: int) -> NDArray[Any]:
    """A variable as rows; a single column may lie flat."""
    found = _variable(path, key)
    if columns == 1:
        return found.reshape(-1, 1)
    if found.ndim != 2 or found.shape[1] != columns:
        raise DataError(f"{path}, {key}: expected N x {columns} names, got shape {found.shape}")
    return found


def _variable(path: Path, key: str) -> NDArray[Any]:
    data = existing(path, "list").read_bytes()
    _check_size(path, data)
    try:
        content = loadmat(str(path), variable_names=[key])
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        raise DataError(
            f"{path} cannot be read ({type(error).__name__}: {error}); expected a MATLAB file of "
            "version 5 to 7, as the data set has it"
        ) from None
    if key not in content or not isinstance(content[key], np.ndarray):
        raise DataError(f"{path}: expected a variable {key!r} in it, there is none")
    return np.asarray(content[key])


def _text(cell: Any) -> str:
    """The text in a cell, empty if there is no single one; MATLAB pads rows with blanks."""
    value = np.asarray(cell)
    return str(value.item()).rstrip() if value.size == 1 and value.dtype.kind == "U" else ""


def _check_size(path: Path, data: bytes) -> None:
    """Refuse a file that would inflate to more than ``MAX_BYTES``."""
    total, place = 0, _HEADER
    while place + 8 <= len(data) and total <= MAX_BYTES:
        kind, size = struct.unpack_from("<II", data, place)
        part = data[place + 8 : place + 8 + size]
        total += _inflated(part) if kind == _COMPRESSED else len(part)
        place += 8 + size
    if max(total, len(data)) > MAX_BYTES:
        raise DataError(f"{path} holds more than {MAX_BYTES} bytes: it is no list of a face set")


def _inflated(part: bytes) -> int:
    """How many bytes a compressed part becomes, counted to just beyond the bound."""
    stream, total = zlib.decompressobj(), 0
    try:
        while part and not stream.eof and total <= MAX_BYTES:
            total += len(stream.decompress(part, _CHUNK))
            part = stream.unconsumed_tail
    except zlib.error:
        return total  # damaged: reading it will say so
    return total
