"""Faces read from object storage by byte range. Needs the extra ``stream`` (litdata)."""

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.datasets.encoded import EncodedFaces, positions, stored_bytes
from lrfr_lightning.datasets.new_folder import new_folder
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.reading import MAX_JSON_BYTES, parse_json, read_bounded

IMAGES, LABELS = "images", "labels"

_CHUNK = re.compile(r"chunk-\d+-\d+\.bin")


class StreamedFaces(EncodedFaces):
    """Faces that :func:`write_streamed` wrote, in a folder or a bucket.

    An image is read by two range requests, of its place and of its bytes, and nothing is kept on
    disk. Because any image can be read at any time, shuffling, ranks and the number of workers are
    the data module's own, and a run that goes on sees the images the first would have seen. What
    a request takes is hidden by workers: use more than for a disk.

    Attributes:
        labels: int64 ``(N,)``, 0..num_classes-1.
        identities: their names.
    """

    def __init__(self, root: str, storage_options: dict[str, Any] | None = None) -> None:
        """Read the labels; no image is read.

        Args:
            root: ``s3://``, ``gs://``, ``azure://`` or ``hf://`` address, or a folder.
            storage_options: what the storage's client asks for, for example ``endpoint_url``.

        Raises:
            ConfigError: litdata is not installed.
            DataError: nothing that :func:`write_streamed` wrote is there.
        """
        _litdata()
        self.root = root.rstrip("/") if "://" in root else f"local:{Path(root).absolute()}"
        self._options = storage_options or {}
        self._opened: tuple[int, Any] = (0, None)
        found = _read(self._open(LABELS), 0, f"labels of {root}")
        self.labels, self.identities = _labels(found, root)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_opened": (0, None)}

    def encoded(self, index: int) -> bytes:
        """The image bytes of image ``index``.

        Raises:
            DataError: they cannot be read.
        """
        process, images = self._opened
        if process != os.getpid():  # clients of a storage do not survive a fork
            images = self._open(IMAGES)
            self._opened = (os.getpid(), images)
        at = range(len(self))[index]
        return bytes(_read(images, at, self.describe(at)))

    def describe(self, index: int) -> str:
        """Its position and the address of the whole."""
        return f"image {index} of {self.root}"

    def name(self, index: int) -> str:
        """Its position."""
        return f"image {index}"

    def _open(self, part: str) -> Any:
        address = f"{self.root}/{part}"
        try:
            opened = _litdata().StreamingDataset(
                address, storage_options=self._options, max_cache_size="25GB"
            )
            index = Path(opened.input_dir.path) / "index.json"
        except Exception as error:  # each storage has its own
            raise DataError(f"cannot open {address}: {error}") from None
        _check_index(index, address)
        return opened


def write_streamed(
    dataset: FaceDataset, folder: str | Path, images_per_chunk: int = 10_000
) -> None:
    """Write chunks of images and the labels; copy the folder to the storage as it is.

    The folder appears when it is whole. Stored bytes are kept in any encoding; images that are
    not stored encoded become JPEG of quality 95.

    Args:
        dataset: images and labels.
        folder: a new or empty folder.
        images_per_chunk: images in one file.

    Raises:
        ConfigError: litdata is not installed, or a chunk has no image.
        DataError: the folder has files in it, or there are no images.
        DiskError: the disk cannot hold it.
    """
    if images_per_chunk < 1:
        raise ConfigError(f"images_per_chunk: expected 1 or more, got {images_per_chunk}")
    _litdata()
    rows = positions(dataset, "write chunks")
    names = "\0".join(dataset.identities).encode()
    with new_folder(folder) as partial:
        _write(partial / IMAGES, (stored_bytes(dataset, i) for i in rows), images_per_chunk)
        _write(partial / LABELS, [(dataset.labels.astype("<i8").tobytes(), names)], 1)


def _write(folder: Path, items: Any, chunk_size: int) -> None:
    from litdata.streaming.writer import BinaryWriter

    writer = BinaryWriter(str(folder), chunk_size=chunk_size)
    for place, item in enumerate(items):
        writer[place] = item
    writer.done()
    writer.merge()


def _check_index(path: Path, address: str) -> None:
    """Refuse what :func:`write_streamed` never writes.

    litdata unpickles items where the index asks for it, and joins names of chunks to a folder.
    """
    try:
        index = parse_json(read_bounded(path, MAX_JSON_BYTES, "index"))
        config, names = index["config"], [chunk["filename"] for chunk in index["chunks"]]
        packed = config.get("compression") or config.get("encryption")
        plain = set(config["data_format"]) == {"bytes"} and not packed
        known = plain and all(map(_CHUNK.fullmatch, names))
    except (AttributeError, KeyError, TypeError, ValueError):
        known = False
    if not known:
        raise DataError(
            f"the index of {address} is none that write_streamed made: expected chunks of plain "
            "bytes named chunk-0-0.bin; others could run code or lie elsewhere and are refused"
        )


def _labels(found: Any, root: str) -> tuple[NDArray[np.int64], list[str]]:
    try:
        stored, names = found
        labels = np.frombuffer(stored, "<i8").astype(np.int64)
        identities = names.decode().split("\0")
    except (AttributeError, TypeError, ValueError):
        raise DataError(f"labels of {root} are damaged: expected numbers and names") from None
    if not len(labels) or labels.min() < 0 or labels.max() >= len(identities):
        raise DataError(f"labels of {root} are damaged: expected 0..{len(identities) - 1}")
    return labels, identities


def _read(items: Any, index: int, what: str) -> Any:
    try:
        return items[index]
    except Exception as error:  # each storage has its own
        raise DataError(f"cannot read {what}: {error}; check the address and the rights") from None


def _litdata() -> Any:
    try:
        import litdata
    except ImportError as error:
        raise ConfigError(
            f'streaming needs litdata ({error}); install it: pip install "lrfr_lightning[stream]"'
        ) from None
    return litdata
