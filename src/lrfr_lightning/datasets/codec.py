"""Encoded image bytes to pixels and back. The only place where OpenCV's BGR order is seen."""

import io
import struct
import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image as PillowImage

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.utils.errors import DataError

MAX_PIXELS = 2**26
"""A header that claims more is not believed: decoding it would fill the memory."""


FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF")
"""Pillow's names of what is read. In others Pillow and OpenCV may see two sizes (JPEG 2000), or
Pillow starts a program (EPS)."""

_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_PAIR = struct.Struct(">HH")
_FRAMES = (0xC0, 0xC1, 0xC2)
_MOVING = ("GIF", "PNG", "WEBP")
"""Pillow's names; a JPEG of several images is a photograph and its preview."""
_PLAIN_MARKERS = {*_FRAMES, 0xC4, 0xDB, 0xDD, 0xE0, 0xEE, 0xFE}


def decode_image(data: bytes | memoryview, name: str | Callable[[], str]) -> Image:
    """Decode JPEG, PNG, BMP or WebP bytes to uint8 ``(H, W, 3)`` RGB.

    Grey and CMYK become RGB, of 16 bits the upper 8 are kept, and what Exif says to turn is turned.
    OpenCV, torchvision, simplejpeg and Pillow all hold libjpeg-turbo and give equal pixels;
    ``python -m benchmarks input`` compares their speed.

    Args:
        data: the encoded image.
        name: which image it is, for the error; called only then where it is a function.

    Raises:
        DataError: the bytes are not a readable image, one of more than ``MAX_PIXELS``, or several
            that move.
    """
    width, height, moves = _claims(data)
    if width * height > MAX_PIXELS:
        raise DataError(
            f"{_text(name)} claims {width}x{height} px, expected at most {MAX_PIXELS} pixels: "
            "it is no image of a face; remove it"
        )
    if moves:
        raise DataError(
            f"{_text(name)} is animated, expected one still image; save the frame that is meant"
        )
    buffer = np.frombuffer(data, np.uint8)
    image = _decoded(buffer) if width else None
    if image is None:
        raise DataError(
            f"cannot decode {_text(name)}: expected an encoded image (JPEG, PNG, BMP, WebP), "
            f"got {len(buffer)} bytes that are none; replace or remove it"
        )
    return np.asarray(image, dtype=np.uint8)


def _decoded(buffer: NDArray[np.uint8]) -> Any:
    """What OpenCV makes of it; None where that is no image."""
    try:
        return cv2.imdecode(buffer, cv2.IMREAD_COLOR_RGB)
    except cv2.error:  # a header within the bytes that says another size than the first
        return None


def _text(name: str | Callable[[], str]) -> str:
    return name if isinstance(name, str) else name()


def decode_into(data: bytes, out: Image) -> bool:
    """Decode a plain JPEG straight to its place in a batch; the pixels are :func:`decode_image`'s.

    A copy of the pixels costs a tenth of decoding them, and OpenCV cannot do without.

    Args:
        data: the encoded image.
        out: uint8 ``(H, W, 3)``, C-contiguous, where the pixels go, RGB.

    Returns:
        Whether it was done. Not for another size, other formats, an orientation by Exif and
        damaged bytes: these are for :func:`decode_image`, and ``out`` may hold anything.
    """
    # in place: to copy the header takes longer than to search it
    if data.find(b"Exif\0", 0, data.find(_SCAN)) >= 0:
        return False
    try:
        made = simplejpeg.decode_jpeg(data, buffer=out)
    except ValueError:
        return False
    return made.shape == out.shape  # type: ignore[no-any-return]


def jpeg_size(data: bytes | memoryview) -> tuple[int, int] | None:
    """Width and height in the header of a JPEG of three colours without Exif, px, else None.

    It takes 1.5 us, Pillow 20, a fourth of what decoding takes.
    """
    if data[:2] != b"\xff\xd8":
        return None
    at, end = 2, len(data) - 10
    while at < end and data[at] == 0xFF and (marker := data[at + 1]) in _PLAIN_MARKERS:
        if marker in _FRAMES:
            height, width = _PAIR.unpack_from(data, at + 5)
            return (width, height) if data[at + 9] == 3 else None
        at += 2 + (data[at + 2] << 8) + data[at + 3]
    return None


def is_cut_short(data: bytes) -> bool:
    """Whether a JPEG has no end-of-image marker behind its last scan; 1 us for one that has.

    Other formats and a JPEG without a scan are the decoder's to judge.
    """
    if data.endswith(_END) or not data.startswith(b"\xff\xd8"):
        return False
    # a thumbnail in the header has an end of its own; some writers put bytes behind the end
    return data.rfind(_END) < data.rfind(_SCAN)


def _claims(data: bytes | memoryview) -> tuple[int, int, bool]:
    """Width, height and whether it is animated, nothing decoded; zeros where it is no image."""
    if size := jpeg_size(data):
        return *size, False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the bound is ours to judge
        try:
            with PillowImage.open(io.BytesIO(data), formats=FORMATS) as image:
                return *image.size, image.format in _MOVING and image.is_animated  # type: ignore[attr-defined]
        except PillowImage.DecompressionBombError:
            return MAX_PIXELS, MAX_PIXELS, False
        except Exception:  # a damaged header raises whatever its bytes lead to
            return 0, 0, False


def encode_jpeg(image: Image, quality: int = 95) -> bytes:
    """Encode uint8 ``(H, W, 3)`` RGB as JPEG; ``quality`` 1..100."""
    ok, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok, "JPEG encoding of an RGB image cannot fail"
    return bytes(data)
