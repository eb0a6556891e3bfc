"""Faces in Parquet files, as the Hugging Face hub holds them. Needs the extra ``parquet``."""

import warnings
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.datasets.encoded import (
    MAX_IMAGE_BYTES,
    EncodedFaces,
    positions,
    stored_bytes,
)
from lrfr_lightning.datasets.identities import in_order
from lrfr_lightning.datasets.new_folder import new_folder
from lrfr_lightning.datasets.parquet_shard import Shard, pyarrow
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing

_SLOW_GROUP_BYTES = 1 << 26


class ParquetFaces(EncodedFaces):
    """Faces in one Parquet file or in all ``*.parquet`` files of a folder, by file name.

    One row group at a time is held in memory, per process.

    Attributes:
        labels: int64 ``(N,)``, 0..num_classes-1.
        identities: the values of the label column as text; sorted by number if all are integers.
    """

    def __init__(
        self, root: str | Path, image_column: str = "image", label_column: str = "label"
    ) -> None:
        """Read the labels; no image is read.

        Args:
            root: a Parquet file, or a folder of them (not of its folders).
            image_column: encoded images: binary, or a struct with binary ``bytes``.
            label_column: the identity of each image, integers or text.

        Raises:
            ConfigError: pyarrow is not installed.
            DataError: a file is missing, unreadable or empty, or its columns do not fit.
        """
        files = _files(existing(root, "Parquet file or folder").absolute())
        self._shards = [Shard(file, image_column, label_column) for file in files]
        self.labels, self.identities = _labels(self._shards)
        if not len(self.labels):
            raise DataError(f"{files[0]} and {len(files) - 1} more Parquet files have no row")
        sizes = [len(shard.rows) for shard in self._shards]
        rows = np.concatenate([shard.rows for shard in self._shards])
        self._starts: NDArray[np.int64] = np.concatenate([[0], np.cumsum(rows)])
        # the shard of each row group, and which of the shard's it is
        self._shard_of = np.repeat(np.arange(len(sizes)), sizes)
        self._group_of = np.concatenate([np.arange(size) for size in sizes])
        self._held: tuple[int, Any] = (-1, None)
        self._warn_if_slow()

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_held": (-1, None)}

    def encoded(self, index: int) -> bytes:
        """The image bytes of row ``index``.

        Raises:
            DataError: the file cannot be read, or the row holds no bytes.
        """
        group, row = self._place(index)
        held, images = self._held  # one tuple, so that threads never see half of it
        if held != group:
            images = self._shards[self._shard_of[group]].images(int(self._group_of[group]))
            self._held = (group, images)
        data = images[row].as_py()
        if not isinstance(data, bytes):
            raise DataError(
                f"{self.describe(index)} holds no image bytes; write them into the file"
            )
        if len(data) > MAX_IMAGE_BYTES:
            raise DataError(
                f"{self.describe(index)} has {len(data)} bytes, expected at most "
                f"{MAX_IMAGE_BYTES}: it is no image of a face; remove it"
            )
        return data

    def describe(self, index: int) -> str:
        """The row and file of image ``index``; rows of a file count from 0."""
        group, row = self._place(index)
        shard = self._shards[self._shard_of[group]]
        return f"row {row + shard.rows[: self._group_of[group]].sum()} of {shard.path}"

    def _place(self, index: int) -> tuple[int, int]:
        """Row group over all files, and row in it."""
        at = range(len(self))[index]
        group = int(np.searchsorted(self._starts, at, side="right")) - 1
        return group, at - int(self._starts[group])

    def _warn_if_slow(self) -> None:
        largest = max(self._shards, key=lambda shard: shard.group_bytes)
        if largest.group_bytes > _SLOW_GROUP_BYTES:
            warnings.warn(
                f"{largest.path} has {largest.group_bytes >> 20} MiB in one row group, "
                "and all of it is read for one image; convert it to RecordIO, or to Parquet anew",
                stacklevel=3,
            )


def _files(root: Path) -> list[Path]:
    files = sorted(root.glob("*.parquet")) if root.is_dir() else [root]
    if not files:
        raise DataError(f"expected *.parquet files in {root}, found none directly in it")
    return files


def _labels(shards: list[Shard]) -> tuple[NDArray[np.int64], list[str]]:
    parts = [shard.labels() for shard in shards]
    identities = in_order(name for _, names in parts for name in names)
    position = {name: label for label, name in enumerate(identities)}
    labels = [
        np.array([position[name] for name in names], np.int64)[codes] for codes, names in parts
    ]
    return np.concatenate(labels), identities


def write_parquet(
    dataset: FaceDataset, folder: str | Path, rows_per_file: int = 10_000, row_group: int = 64
) -> None:
    """Write Parquet files with the columns ``image`` (binary) and ``label`` (text: the identity).

    The folder appears when it is whole. Stored bytes are kept in any encoding; images that are
    not stored encoded become JPEG of quality 95.

    Args:
        dataset: images and labels.
        folder: a new or empty folder.
        rows_per_file: images in each file, the last may have fewer.
        row_group: images read together. Training reads in random order, which is faster with
            small groups: 64 of 6 kB take 0.15 ms, 1,000 take 0.7 ms.

    Raises:
        ConfigError: pyarrow is not installed, or a count is below 1.
        DataError: the folder has files in it, or there are no images.
    """
    if min(rows_per_file, row_group) < 1:
        raise ConfigError(f"expected 1 row or more, got {rows_per_file=} and {row_group=}")
    names = _text(dataset.identities)
    rows, files = positions(dataset, "write Parquet"), -(-len(dataset) // rows_per_file)
    with new_folder(folder) as partial:
        for number in range(files):
            shard = islice(rows, rows_per_file)
            with _writer(partial / f"{number:05d}-of-{files:05d}.parquet") as writer:
                while group := list(islice(shard, row_group)):
                    images = [stored_bytes(dataset, i) for i in group]
                    labels = names.take(pyarrow().array(dataset.labels[group]))
                    writer.write_table(pyarrow().table([images, labels], schema=writer.schema))


def _writer(path: Path) -> Any:
    arrow = pyarrow()
    return arrow.parquet.ParquetWriter(
        path,
        arrow.schema([("image", arrow.binary()), ("label", arrow.string())]),
        compression="none",
        # of images they would only make the file larger
        use_dictionary=["label"],
        write_statistics=["label"],
    )


def _text(names: list[str]) -> Any:
    """Names as a pyarrow array of text."""
    try:
        return pyarrow().array(names, pyarrow().string())
    except UnicodeEncodeError as error:
        raise DataError(
            f"Parquet holds names of identities as UTF-8 text, {error.object[:80]!r} is none; "
            "rename the identity"
        ) from None
