"""Images that turn out unreadable while a run reads them."""

import csv
import os
import warnings
from collections.abc import Iterable
from pathlib import Path

from pytorch_lightning.utilities import rank_zero_info

from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.utils.errors import ConfigError, DataError, first_few

_HEADER = ["index", "image", "reason"]


class Unreadable:
    """Counts them, names each once, lists them in a file, and stops the run when there are many.

    Args:
        dataset: what is read.
        share: of the data set's images, 0..1, that may turn out unreadable; 0: none.

    Attributes:
        found: the reason of each, by its position.
        path: the list, CSV of index, image and reason; it grows while the run does, so that one
            that is killed has it as well. None: no list.

    Raises:
        ConfigError: ``share`` is not in 0..1.
    """

    def __init__(self, dataset: FaceDataset, share: float) -> None:
        if not 0 <= share <= 1:
            raise ConfigError(f"unreadable: expected a share of 0..1, got {share}")
        self.dataset = dataset
        self.share = share
        self.found: dict[int, str] = {}
        self.path: Path | None = None

    def begin(self, path: Path, resumed: bool) -> None:
        """List in a file from now on; a run that is resumed goes on with what the file says."""
        self.path = path
        listed: dict[int, str] = {}
        if not resumed:
            path.unlink(missing_ok=True)
        elif path.exists():
            with path.open(newline="") as file:
                listed = {int(row["index"]): row["reason"] for row in csv.DictReader(file)}
        for index in self.found.keys() - listed:
            self._list(index, self.found[index])
        self.found = listed | self.found

    def add(self, entries: Iterable[tuple[int, str]]) -> None:
        """Note what could not be read: position and reason of each.

        Raises:
            DataError: now there are more than the share allows.
        """
        for index, reason in entries:
            if index not in self.found:
                self.found[index] = reason
                self._list(index, reason)
                warnings.warn(f"unreadable image: {self._named(index, reason)}", stacklevel=2)
        if len(self.found) > self.share * len(self.dataset):
            named = [self._named(index, reason) for index, reason in self.found.items()]
            raise DataError(
                f"{len(named)} of {len(self.dataset)} images are unreadable, data.unreadable "
                f"allows a share of {self.share}: {first_few(named)}; replace or remove them "
                "(lrfr data check finds them all), or raise the share"
            )

    def sum_up(self) -> None:
        """Say how many there were, if any, and where they are listed."""
        if self.found:
            where = f", see {self.path}" if self.path else ""
            rank_zero_info(
                f"{len(self.found)} of {len(self.dataset)} images were unreadable{where}"
            )

    def _named(self, index: int, reason: str) -> str:
        """The reason, which mostly names the image already."""
        name = self.dataset.describe(index)
        return reason if name in reason else f"{name}: {reason}"

    def _list(self, index: int, reason: str) -> None:
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file)
            if os.fstat(file.fileno()).st_size == 0:
                writer.writerow(_HEADER)
            writer.writerow([index, self.dataset.describe(index), reason])
