"""What an alignment writes down: a row per photograph, as CSV in the end, as JSON lines until then.

The lines are appended one by one, so that a run that was killed goes on where it stopped.
"""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from lrfr_lightning.preprocessing.aligner import Alignment
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import whole_file

POINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
COLUMNS = (
    ("path", "bytes", "outcome", "reason", "crop", "score", "resolution")
    + ("left", "top", "right", "bottom")
    + tuple(f"{point}_{axis}" for point in POINTS for axis in "xy")
)
"""Of ``alignment.csv``; what there is not stays empty."""

Row = dict[str, str]
"""Text by column."""


def row_of(path: str, size: int, alignment: Alignment, crop: str) -> Row:
    """The row of a photograph; numbers are px with two decimals, the score has four.

    Args:
        path: relative to the folder.
        size: of the file, bytes.
        alignment: what became of it.
        crop: path of the crop relative to the output folder, empty without one.
    """
    row = dict.fromkeys(COLUMNS, "")
    row |= {"path": path, "bytes": str(size), "crop": crop}
    row |= {"outcome": alignment.outcome, "reason": alignment.reason}
    if face := alignment.detection:
        numbers = [alignment.resolution or 0, *face.box, *face.landmarks.ravel().tolist()]
        row |= {"score": f"{face.score:.4f}"}
        row |= zip(
            COLUMNS[COLUMNS.index("resolution") :], (f"{n:.2f}" for n in numbers), strict=True
        )
    return row


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows; the file appears whole."""
    with whole_file(path) as partial, _text(partial, "w") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[Row]:
    """The rows of a file that :func:`write_csv` wrote.

    Raises:
        DataError: it has other columns.
    """
    with _text(path, "r") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise DataError(f"{path} has other columns than an alignment's: name another output")
        return list(reader)


def read_lines(path: Path) -> list[Row]:
    """The rows appended so far; a last line that is not whole is no row.

    Raises:
        DataError: another line is no row.
    """
    try:
        whole, _, _ = path.read_text("utf-8").rpartition("\n")
        found = [json.loads(line) for line in whole.splitlines()]
        return [{name: row[name] for name in COLUMNS} for row in found]
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path} is damaged: remove it, and what it lists is done again") from None


def as_line(row: Row) -> str:
    """A row as it is appended."""
    return json.dumps(row) + "\n"


def _text(path: Path, mode: str) -> IO[str]:
    """Names of files are bytes on disk and need not be text: they come back as they were."""
    return open(path, mode, encoding="utf-8", errors="surrogateescape", newline="")
