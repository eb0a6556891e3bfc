"""Encoded bytes to pixels and back."""

import struct

import cv2
import numpy as np
import pytest

from lrfr_lightning.datasets.codec import decode_image, encode_jpeg
from lrfr_lightning.utils.errors import DataError

FACE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (112, 112, 3)).astype(np.uint8), (0, 0), 4
)


def test_round_trips_keep_rgb() -> None:
    assert np.abs(decode_image(encode_jpeg(FACE, 100), "a").astype(int) - FACE).max() < 6
    png = cv2.imencode(".png", FACE[..., ::-1])[1].tobytes()
    assert np.array_equal(decode_image(png, "a"), FACE)
    assert np.array_equal(decode_image(memoryview(png), "a"), FACE)


def test_grey_gets_three_channels() -> None:
    png = cv2.imencode(".png", FACE[..., 0])[1].tobytes()
    assert np.array_equal(decode_image(png, "a"), FACE[..., :1].repeat(3, axis=2))


@pytest.mark.parametrize("data", [b"", b"text", encode_jpeg(FACE)[:60]])
def test_what_is_no_image(data: bytes) -> None:
    with pytest.raises(DataError, match=f"cannot decode b.jpg: .* got {len(data)} bytes"):
        decode_image(data, "b.jpg")


@pytest.mark.parametrize("side", [30_000, 65_500])
def test_a_forged_size_is_not_believed(side: int) -> None:
    data = encode_jpeg(FACE)
    at = data.index(b"\xff\xc0") + 5
    forged = data[:at] + struct.pack(">HH", side, side) + data[at + 4 :]
    with pytest.raises(DataError, match="forged.jpg claims .* expected at most 67108864 pixels"):
        decode_image(forged, "forged.jpg")
