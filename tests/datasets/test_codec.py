"""Encoded bytes to pixels and back."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from lrfr_lightning.datasets.codec import decode_image, decode_into, encode_jpeg, jpeg_size
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


def exif_turned(jpeg: bytes) -> bytes:
    """The same JPEG with an Exif entry that turns it by 90 degrees."""
    entry = b"\x12\x01\x03\0" + struct.pack("<I", 1) + struct.pack("<HH", 6, 0)
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def test_straight_to_its_place_or_not_at_all():
    face = np.random.default_rng(0).integers(0, 256, (24, 16, 3), np.uint8)
    jpeg = encode_jpeg(face)
    place = np.zeros((24, 16, 3), np.uint8)
    assert jpeg_size(jpeg) == (16, 24)
    assert decode_into(jpeg, place)
    assert np.array_equal(place, decode_image(jpeg, "face"))
    grey = bytes(cv2.imencode(".jpg", face[..., 0])[1])
    assert decode_into(grey, place)
    assert np.array_equal(place, decode_image(grey, "grey"))
    png = bytes(cv2.imencode(".png", face)[1])
    sizes = [encode_jpeg(face[:, :8]), encode_jpeg(face.repeat(2, axis=0))]
    others = [png, exif_turned(jpeg), jpeg[:300], jpeg[:20], b"", *sizes]
    assert [decode_into(data, place) for data in others] == [False] * len(others)
    assert decode_image(exif_turned(jpeg), "face").shape == (16, 24, 3)


def test_the_name_is_asked_for_only_where_an_error_needs_it():
    def name():
        raise AssertionError

    face = np.zeros((8, 8, 3), np.uint8)
    assert np.array_equal(decode_image(encode_jpeg(face), name), face)
    with pytest.raises(DataError, match="cannot decode image 3"):
        decode_image(b"none", lambda: "image 3")


def encoded(image: PillowImage.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def test_cmyk_and_sixteen_bits() -> None:
    cmyk = encoded(PillowImage.fromarray(FACE).convert("CMYK"), "JPEG", quality=100, subsampling=0)
    assert np.abs(decode_image(cmyk, "a").astype(int) - FACE).max() < 6
    deep = (FACE.astype(np.uint16) << 8) + 200
    for pixels in (deep[..., ::-1], deep[..., 0]):
        png = cv2.imencode(".png", pixels)[1].tobytes()
        wanted = FACE if pixels.ndim == 3 else FACE[..., :1].repeat(3, axis=2)
        assert np.array_equal(decode_image(png, "a"), wanted)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_turned_by_exif(form: str) -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    lossless = {} if form == "PNG" else {"quality": 100}
    data = encoded(PillowImage.fromarray(FACE[:60]), form, exif=exif, **lossless)
    upright = np.rot90(FACE[:60], -1)
    assert np.abs(decode_image(data, "a").astype(int) - upright).max() < 9


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_animated_images_are_refused(form: str) -> None:
    frames = [PillowImage.fromarray(FACE), PillowImage.fromarray(255 - FACE)]
    moving = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match="a is animated, expected one still image"):
        decode_image(moving, "a")
    assert decode_image(encoded(frames[0], form), "a").shape == FACE.shape
