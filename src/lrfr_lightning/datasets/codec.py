"""Encoded image bytes to pixels and back. The only place where OpenCV's BGR order is seen."""

import cv2
import numpy as np

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.utils.errors import DataError


def decode_image(data: bytes | memoryview, name: str) -> Image:
    """Decode JPEG, PNG, BMP or WebP bytes to uint8 ``(H, W, 3)`` RGB.

    Grey images get three equal channels. ``name`` says in the error which image it was.

    Raises:
        DataError: the bytes are not a readable image.
    """
    buffer = np.frombuffer(data, np.uint8)
    image = cv2.imdecode(buffer, cv2.IMREAD_COLOR_RGB) if len(buffer) else None
    if image is None:
        raise DataError(
            f"cannot decode {name}: expected an encoded image (JPEG, PNG, BMP, WebP), "
            f"got {len(buffer)} bytes that are none; replace or remove it"
        )
    return np.asarray(image, dtype=np.uint8)


def encode_jpeg(image: Image, quality: int = 95) -> bytes:
    """Encode uint8 ``(H, W, 3)`` RGB as JPEG; ``quality`` 1..100."""
    ok, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok, "JPEG encoding of an RGB image cannot fail"
    return bytes(data)
