"""Data sets whose images lie encoded on disk, and what their writers share."""

from abc import abstractmethod
from collections.abc import Iterator

from tqdm import tqdm

from lrfr_lightning.datasets.base import FaceDataset, Image
from lrfr_lightning.datasets.codec import decode_image, encode_jpeg
from lrfr_lightning.utils.errors import DataError

MAX_IMAGE_BYTES = 1 << 28
"""Longest encoded image that is read, bytes; a face of 112x112 has some 5,000."""

_SUFFIXES = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"BM": ".bmp", b"RIFF": ".webp"}


class EncodedFaces(FaceDataset):
    """Labelled faces stored as JPEG, PNG, BMP or WebP bytes."""

    @abstractmethod
    def encoded(self, index: int) -> bytes:
        """The stored bytes of image ``index``, not decoded.

        Raises:
            DataError: the bytes cannot be read; the message names the image.
        """

    def image(self, index: int) -> Image:
        """Image ``index`` as uint8 ``(H, W, 3)`` RGB.

        Raises:
            DataError: the image cannot be read or decoded; the message names it.
        """
        return decode_image(self.encoded(index), lambda: self.describe(index))


def stored_bytes(dataset: FaceDataset, index: int, quality: int = 95) -> bytes:
    """The bytes image ``index`` is stored as, or else its JPEG of ``quality`` 1..100.

    Raises:
        DataError: the image cannot be read.
    """
    if isinstance(dataset, EncodedFaces):
        return dataset.encoded(index)
    return encode_jpeg(dataset.image(index), quality)


def jpeg_bytes(dataset: FaceDataset, index: int, quality: int = 95) -> bytes:
    """Image ``index`` as JPEG: the stored bytes if they are JPEG, or else encoded anew.

    Raises:
        DataError: the image cannot be read or decoded.
    """
    data = stored_bytes(dataset, index, quality)
    if image_suffix(data) == ".jpg":
        return data
    return encode_jpeg(decode_image(data, dataset.describe(index)), quality)


def image_suffix(data: bytes) -> str | None:
    """File suffix that fits encoded bytes, by their first bytes; None if no known format.

    >>> image_suffix(b"BM6")
    '.bmp'
    """
    return next((suffix for start, suffix in _SUFFIXES.items() if data.startswith(start)), None)


def positions(dataset: FaceDataset, task: str) -> Iterator[int]:
    """Every position of ``dataset`` in order, under a progress bar titled ``task``.

    Raises:
        DataError: the data set has no image.
    """
    if len(dataset) == 0:
        raise DataError("expected a data set with images to write, got one without any")
    return _shown(len(dataset), task)


def _shown(count: int, task: str) -> Iterator[int]:
    with tqdm(range(count), desc=task, unit="image", mininterval=1) as bar:
        yield from bar
