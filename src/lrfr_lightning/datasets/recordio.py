"""InsightFace's training sets: ``train.rec``, ``train.idx`` and ``property``, without MXNet.

The payload of a record is ``<IfQQ`` (flag, label, id, id2), then ``flag`` float32 labels, then the
encoded image. Record 0 may be a header without image, of flag 2 and labels ``(N+1, M)``: then the
images are the keys 1..N, and what follows describes identities. Otherwise every key is an image.
Source: https://github.com/deepinsight/insightface, recognition data sets.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.datasets.encoded import EncodedFaces, jpeg_bytes, positions
from lrfr_lightning.datasets.new_folder import new_folder
from lrfr_lightning.datasets.record_file import RecordFile, as_record, read_index
from lrfr_lightning.datasets.record_labels import IMAGE_HEADER, read_labels
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing

_COUNTABLE = 1 << 24  # the format counts in float32, exact up to here


class RecordIO(EncodedFaces):
    """Faces in InsightFace's RecordIO, read by offset; nothing but labels is held in memory.

    Attributes:
        labels: int64 ``(N,)``, 0..num_classes-1, in the order of the labels in the file; those
            that run from 0 without a gap are kept as they are.
        identities: the labels of the file as text.
    """

    def __init__(self, root: str | Path) -> None:
        """Read the index and the label of every record; no image is decoded but the first.

        Args:
            root: folder of ``train.rec``, ``train.idx`` and, if there is one, ``property``.

        Raises:
            DataError: a file is missing or damaged (names the record and its offset), or
                ``property`` contradicts the records.
        """
        folder = existing(root, "RecordIO folder").absolute()
        self._file = RecordFile(existing(folder / "train.rec", "record file"))
        index = existing(folder / "train.idx", "index of the record file")
        keys, offsets = read_index(index, self._file.size)
        self._keys, self._offsets = _images(self._file, keys, offsets)
        stored = read_labels(self._file, self._keys, self._offsets)
        values, self.labels = np.unique(stored, return_inverse=True)
        self.identities = [str(int(value)) for value in values]
        self._check_property(folder / "property")

    def encoded(self, index: int) -> bytes:
        """The image bytes of record ``index``.

        Raises:
            DataError: the record is damaged; the message names its key and offset.
        """
        key, offset = int(self._keys[index]), int(self._offsets[index])
        payload = self._file.payload(key, offset)
        if len(payload) < IMAGE_HEADER.size:
            raise self._file.damage(key, offset, f"its payload has {len(payload)} bytes")
        start = IMAGE_HEADER.size + 4 * IMAGE_HEADER.unpack_from(payload)[0]
        if start >= len(payload):
            raise self._file.damage(key, offset, "it holds no image")
        return payload[start:]

    def describe(self, index: int) -> str:
        """The key and the file of image ``index``."""
        return f"record {self._keys[index]} of {self._file.path}"

    def _check_property(self, path: Path) -> None:
        if not path.exists():
            return
        classes, height, width = _read_property(path)
        found = self.image(0).shape[:2]
        if classes != self.num_classes or (height, width) != found:
            raise DataError(
                f"{path} says {classes} identities of {height}x{width} px, the records have "
                f"{self.num_classes} of {found[0]}x{found[1]} px; use the .rec, .idx and property "
                "files of one data set, or delete property if the records are right"
            )


def _images(
    file: RecordFile, keys: NDArray[np.int64], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The part of the index that names images."""
    end = _header_end(file, int(offsets[0])) if keys[0] == 0 else None
    if end is None:
        return keys, offsets
    first, last = np.searchsorted(keys, [1, end])
    found = int(last - first)
    # the header counts in float32, which is off by one or more above 2**24
    if abs(end - 1 - found) > np.spacing(np.float32(end)) / 2 or found == 0:
        raise DataError(
            f"the header record of {file.path} announces {end - 1:.0f} images, "
            f"the index lists {found}; use the .rec and .idx files of one data set"
        )
    return keys[first:last], offsets[first:last]


def _header_end(file: RecordFile, offset: int) -> float | None:
    """N+1 of the header record, or None if the record at ``offset`` is an image."""
    payload = file.start(0, offset, IMAGE_HEADER.size + 9)
    if len(payload) != IMAGE_HEADER.size + 8 or payload[:4] != struct.pack("<I", 2):
        return None
    end = float(struct.unpack_from("<f", payload, IMAGE_HEADER.size)[0])
    if not 1 < end < 2**40:
        raise file.damage(0, offset, f"as a header it announces {end} - 1 images")
    return end


def _read_property(path: Path) -> tuple[int, int, int]:
    """Identities, height and width (px)."""
    try:
        with path.open("rb") as file:
            text = file.read(200).decode()
        classes, height, width = (int(field) for field in text.strip().split(","))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected 'classes,height,width', got {error}") from None
    return classes, height, width


def write_recordio(dataset: FaceDataset, folder: str | Path, quality: int = 95) -> None:
    """Write ``train.rec``, ``train.idx`` and ``property``, which InsightFace reads as well.

    The folder appears when it is whole. Images stored as JPEG keep their bytes, all others become
    JPEG. The form has no names of identities: they are read back as ``"0"``, ``"1"``, ...

    Args:
        dataset: images and labels; all images of the size of the first.
        folder: a new or empty folder.
        quality: of the JPEG of images that are not yet JPEG, 1..100.

    Raises:
        ConfigError: ``quality`` is out of range.
        DataError: the folder has files in it, there are no images, or too many for the form.
    """
    if not 1 <= quality <= 100:
        raise ConfigError(f"write_recordio: expected a quality of 1..100, got {quality}")
    if len(dataset) >= _COUNTABLE:
        raise DataError(
            f"RecordIO counts up to {_COUNTABLE - 1} images, got {len(dataset)}; write Parquet"
        )
    with new_folder(folder) as partial:
        values, labels = np.unique(dataset.labels, return_inverse=True)
        _write_records(dataset, labels, partial, quality)
        height, width = dataset.image(0).shape[:2]
        (partial / "property").write_text(f"{len(values)},{height},{width}\n")


def _write_records(
    dataset: FaceDataset, labels: NDArray[np.int64], folder: Path, quality: int
) -> None:
    end = float(len(dataset) + 1)
    with (folder / "train.rec").open("wb") as records, (folder / "train.idx").open("w") as index:
        index.write("0\t0\n")
        at = records.write(as_record(_payload([end, end], 0, b"")))
        for i in positions(dataset, "write RecordIO"):
            image = jpeg_bytes(dataset, i, quality)
            index.write(f"{i + 1}\t{at}\n")
            at += records.write(as_record(_payload([float(labels[i])], i + 1, image)))


def _payload(labels: list[float], key: int, image: bytes) -> bytes:
    """Head and image; several labels go behind the head, with their number as its flag."""
    if len(labels) == 1:
        return IMAGE_HEADER.pack(0, labels[0], key, 0) + image
    several = np.asarray(labels, "<f4").tobytes()
    return IMAGE_HEADER.pack(len(labels), 0.0, key, 0) + several + image
