"""What the pages of a Parquet file claim to hold, looked at before Arrow makes room for it."""

from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from lrfr_lightning.datasets.thrift import read_struct
from lrfr_lightning.utils.errors import DataError

_TAIL = 8
"""Bytes behind the footer: its length, and ``PAR1``."""

_SMALL, _MOST_TIMES = 1 << 26, 256
"""A page that unpacks to more than 64 MiB may be that many times as long as it is packed."""

Pages = tuple[int, int]
"""Where the pages of a column in a row group begin and end, bytes."""


class PageBounds:
    """Where the pages of a file's columns lie, as its footer says.

    Columns go by their place, as Arrow reads them, and not by the name that a column gives itself.

    Args:
        path: the file.

    Raises:
        DataError: the footer is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            try:
                self._groups = _groups(data)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise self._damaged(f"its footer: {error}") from None

    def check(self, column: int, groups: range) -> None:
        """Refuse pages that say that they unpack to far more than they are.

        Args:
            column: its place among the leaves of the schema.
            groups: numbers of the row groups.

        Raises:
            DataError: one does, or the pages do not lie one behind the other.
        """
        with self.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            for group in groups:
                if column >= len(self._groups[group]):
                    raise self._damaged(f"row group {group} has no column {column}")
                where = f"column {column}, row group {group}"
                self._check_pages(data, self._groups[group][column], where)

    def _check_pages(self, data: mmap, pages: Pages, where: str) -> None:
        position, end = pages
        while position < end:
            try:
                header, position = read_struct(data, position)
                unpacked, packed = int(header[2]), int(header[3])
            except (ValueError, KeyError, TypeError) as error:
                raise self._damaged(f"a page of {where}: {error}") from None
            if not 0 <= packed <= end - position or unpacked < 0:
                raise self._damaged(f"a page of {where} claims {packed} bytes, {unpacked} unpacked")
            if unpacked > max(_SMALL, _MOST_TIMES * packed):
                raise DataError(
                    f"{self.path}: a page of {where} claims to unpack from {packed} to {unpacked} "
                    f"bytes, expected at most {_MOST_TIMES} times as many"
                )
            position += packed

    def _damaged(self, what: str) -> DataError:
        return DataError(f"cannot read Parquet file {self.path}: {what}; copy or download it again")


def _groups(data: mmap) -> list[list[Pages]]:
    """The pages of each column of each row group."""
    end = len(data) - _TAIL
    start = end - int.from_bytes(data[end : end + 4], "little")
    if not 0 <= start <= end:
        raise ValueError("it begins outside the file")
    footer, _ = read_struct(data, start)
    return [[_pages(chunk[3]) for chunk in group[1]] for group in footer.get(4, [])]


def _pages(described: dict[int, Any]) -> Pages:
    # a dictionary lies before the data, and is not there where the offset says 0
    start = min((offset for offset in (described.get(11), described[9]) if offset), default=0)
    return start, start + described[7]
