"""An alignment's output folder: whose it is, what is done, what is left over from a kill.

``alignment.json`` holds the settings, ``alignment.jsonl`` a row per finished photograph until
``alignment.csv`` takes its place.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lrfr_lightning.preprocessing.record import Row, as_line, read_csv, read_lines, write_csv
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import whole_file
from lrfr_lightning.utils.reading import MAX_JSON_BYTES, parse_json, read_bounded

_PARTIAL = re.compile(r"\.[0-9a-f]{32}\.partial$")


class Progress:
    """Begins or goes on with an output folder.

    Args:
        folder: the output folder.
        settings: plain data that every file in it depends on.

    Raises:
        ConfigError: the folder was begun with other settings.
        DataError: it holds files of another origin.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        self._csv, self._lines = folder / "alignment.csv", folder / "alignment.jsonl"
        if folder.is_dir():
            _remove_partial(folder)
        _claim(folder, settings)

    def finished(self, sizes: dict[str, str]) -> dict[str, Row]:
        """Rows by path of what need not be done again; crops of other rows are removed.

        Args:
            sizes: length of each photograph by its path, as in the rows.

        Raises:
            DataError: the rows cannot be read, or the crop of one lies outside the folder.
        """
        rows = read_csv(self._csv) if self._csv.exists() else []
        rows += read_lines(self._lines) if self._lines.exists() else []
        latest = {row["path"]: row for row in rows}
        for path, row in list(latest.items()):
            crop = self._crop(row) if row["crop"] else None
            if sizes.get(path) != row["bytes"]:
                del latest[path]
                if crop:
                    crop.unlink(missing_ok=True)
            elif crop and not crop.exists():
                del latest[path]
        return latest

    def _crop(self, row: Row) -> Path:
        name = Path(row["crop"])
        if name.is_absolute() or ".." in name.parts:
            raise DataError(f"{self.folder} has a row whose crop lies elsewhere: {row['crop']!r}")
        return self.folder / name

    def start(self, rows: Iterable[Row]) -> None:
        """Write down the rows that stand; :meth:`add` goes on from there."""
        with whole_file(self._lines) as file:
            file.write_text("".join(map(as_line, rows)), "utf-8")

    def add(self, row: Row, crop: bytes | None) -> None:
        """Write the encoded crop, then the row."""
        if crop is not None:
            with whole_file(self.folder / row["crop"]) as file:
                file.write_bytes(crop)
        with open(self._lines, "a", encoding="utf-8") as lines:
            lines.write(as_line(row))

    def finish(self, rows: list[Row]) -> None:
        """Write ``alignment.csv``."""
        write_csv(self._csv, rows)
        self._lines.unlink()


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    path = folder / "alignment.json"
    if path.exists():
        _check_same(folder, _settings(path), settings)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            f"expected a new or empty folder, or one of an earlier alignment (with alignment.json "
            f"in it) at {folder}; name another one"
        )
    with whole_file(path) as file:
        file.write_text(json.dumps(settings, indent=1) + "\n", "utf-8")


def _settings(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(read_bounded(path, MAX_JSON_BYTES, "settings of an alignment"))
    except ValueError as error:
        raise DataError(f"{path} is damaged ({error}): name another output") from None
    if not isinstance(found, dict):
        raise DataError(f"{path} is damaged (no settings): name another output")
    return found


def _check_same(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    changed = [
        f"{name} was {before.get(name)!r}, is {now.get(name)!r}"
        for name in sorted(before | now)
        if before.get(name) != now.get(name)
    ]
    if changed:
        raise ConfigError(
            f"{folder} was begun with other settings: {'; '.join(changed)}; "
            "name another output or use the same settings"
        )


def _remove_partial(folder: Path) -> None:
    for path in folder.rglob("*.partial"):
        if _PARTIAL.search(path.name):
            path.unlink()
