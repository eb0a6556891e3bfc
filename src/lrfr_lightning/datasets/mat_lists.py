"""Lists of names and numbers in MATLAB files, as QMUL-SurvFace and TinyFace publish theirs.

Files of version 5 to 7 hold numbers and text, no code. Their compressed parts are inflated within
a bound, and shapes held against the bytes behind them, before anything is built.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, savemat

from lrfr_lightning.datasets.mat_check import check_mat
from lrfr_lightning.utils.errors import DataError, first_few
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.reading import read_bounded

MAX_BYTES = 2**27
"""More than ten times the largest published list, inflated."""

_LARGEST = 2**53  # MATLAB's numbers are whole up to here


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
    if not ((values >= 0) & (values <= _LARGEST) & (values == np.floor(values))).all():
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
    if not found.size:
        raise DataError(f"{path}: expected entries in the list {key!r}, it is empty")
    if columns == 1:
        return found.reshape(-1, 1)
    if found.ndim != 2 or found.shape[1] != columns:
        raise DataError(f"{path}, {key}: expected N x {columns} names, got shape {found.shape}")
    return found


def _variable(path: Path, key: str) -> NDArray[Any]:
    data = read_bounded(existing(path, "list"), MAX_BYTES, "list")
    try:
        check_mat(data, key, MAX_BYTES)
        content = loadmat(io.BytesIO(data), variable_names=[key])
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
