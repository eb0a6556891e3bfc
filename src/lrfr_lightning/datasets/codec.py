"""Encoded image bytes to pixels and back. The only place where OpenCV's BGR order is seen."""

import io
import warnings

import cv2
import numpy as np
from PIL import Image as PillowImage

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.utils.errors import DataError

MAX_PIXELS = 2**26
"""A header that claims more is not believed: decoding it would fill the memory."""


def decode_image(data: bytes | memoryview, name: str) -> Image:
    """Decode JPEG, PNG, BMP or WebP bytes to uint8 ``(H, W, 3)`` RGB.

    Grey images get three equal channels. ``name`` says in the error which image it was.

    Raises:
        DataError: the bytes are not a readable image, or one of more than ``MAX_PIXELS``.
    """
    width, height = _claimed_size(data)
    if width * height > MAX_PIXELS:
        raise DataError(
            f"{name} claims {width}x{height} px, expected at most {MAX_PIXELS} pixels: "
            "it is no image of a face; remove it"
        )
    buffer = np.frombuffer(data, np.uint8)
    image = cv2.imdecode(buffer, cv2.IMREAD_COLOR_RGB) if width else None
    if image is None:
        raise DataError(
            f"cannot decode {name}: expected an encoded image (JPEG, PNG, BMP, WebP), "
            f"got {len(buffer)} bytes that are none; replace or remove it"
        )
    return np.asarray(image, dtype=np.uint8)


def _claimed_size(data: bytes | memoryview) -> tuple[int, int]:
    """Width and height by the header, nothing decoded; 0, 0 where it is no image."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the bound is ours to judge
        try:
            with PillowImage.open(io.BytesIO(data)) as image:
                return image.size
        except PillowImage.DecompressionBombError:
            return MAX_PIXELS, MAX_PIXELS
        except Exception:  # a damaged header raises whatever its bytes lead to
            return 0, 0


def encode_jpeg(image: Image, quality: int = 95) -> bytes:
    """Encode uint8 ``(H, W, 3)`` RGB as JPEG; ``quality`` 1..100."""
    ok, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok, "JPEG encoding of an RGB image cannot fail"
    return bytes(data)
