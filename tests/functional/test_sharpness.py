"""The average Laplacian: worker and device give the number a loop gives."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from lrfr_lightning.functional.resize import Kernel, degrade
from lrfr_lightning.functional.sharpness import batch_sharpness, image_sharpness, laplacian
from lrfr_lightning.utils.errors import ConfigError


def drawn(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def as_batch(*images):
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def reflect(position, size):
    """-1 is 1 and size is size - 2: the border pixel is not repeated."""
    if position < 0:
        return 1
    return size - 2 if position == size else position


def loop(image):
    height, width, channels = image.shape
    total = 0
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
                value = -4 * int(image[y, x, c])
                for v, u in around:
                    value += int(image[reflect(v, height), reflect(u, width), c])
                total += abs(value)
    return total / image.size


@pytest.mark.parametrize("shape", [(2, 2), (5, 9), (24, 17)])
def test_equals_a_loop(shape):
    image = drawn(*shape)
    assert image_sharpness(image) == pytest.approx(loop(image), rel=1e-12)
    assert batch_sharpness(as_batch(image)).item() == pytest.approx(loop(image), rel=1e-7)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64, torch.bfloat16])
def test_device_equals_worker(dtype):
    images = [drawn(112, 112, seed) for seed in range(5)]
    images += [cv2.GaussianBlur(image, (0, 0), 3) for image in images]
    expected = torch.tensor([image_sharpness(image) for image in images])
    result = batch_sharpness(as_batch(*images).to(dtype))
    assert result.dtype == torch.float32
    if dtype == torch.uint8:
        assert torch.equal(result, expected)
    # bfloat16 holds 0..255 whole, and q is computed in float32
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-4)


def test_known_answers():
    assert image_sharpness(np.full((112, 112, 3), 200, np.uint8)) == 0
    assert batch_sharpness(torch.full((2, 3, 8, 8), 200, dtype=torch.uint8)).tolist() == [0, 0]
    ramp = np.tile(np.arange(0, 100, 10, np.uint8)[:, None], (10, 1, 3)).reshape(10, 10, 3)
    # flat inside; at either end the neighbour on both sides is 10 off
    assert image_sharpness(ramp) == pytest.approx(2 * 20 / 10)
    board = np.tile(np.indices((8, 8)).sum(0)[..., None] % 2 * 255, 3).astype(np.uint8)
    assert image_sharpness(board) == 4 * 255
    assert batch_sharpness(as_batch(board)).item() == 4 * 255


def test_laplacian_is_signed_and_exact():
    image = np.zeros((5, 5, 3), np.uint8)
    image[2, 2] = 255
    values = laplacian(image)
    assert values.dtype == np.int16
    assert values[..., 0].tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 255, 0, 0],
        [0, 255, -1020, 255, 0],
        [0, 0, 255, 0, 0],
        [0, 0, 0, 0, 0],
    ]


def test_an_empty_batch():
    assert batch_sharpness(torch.empty(0, 3, 112, 112, dtype=torch.uint8)).shape == (0,)
    assert batch_sharpness(torch.empty(0, 3, 112, 112)).dtype == torch.float32


def test_does_not_depend_on_flips_and_channel_order():
    image = drawn(20, 30)
    for same in (image[::-1], image[:, ::-1], image[..., ::-1], image.transpose(1, 0, 2)):
        copy = np.ascontiguousarray(same)
        assert image_sharpness(copy) == pytest.approx(image_sharpness(image), rel=1e-12)


@pytest.mark.parametrize(
    "image",
    [drawn(8, 8).astype(np.float32), drawn(8, 8)[..., 0], drawn(1, 8)],
    ids=["float", "grey", "one row"],
)
def test_refuses_other_images(image):
    with pytest.raises(ConfigError, match=r"expected a uint8 image \(H, W, 3\) of at least 2x2"):
        image_sharpness(image)


@pytest.mark.parametrize("shape", [(3, 112, 112), (2, 3, 1, 112)])
def test_refuses_other_batches(shape):
    with pytest.raises(ConfigError, match=r"expected images \(B, 3, H, W\) of at least 2x2 px"):
        batch_sharpness(torch.zeros(shape))


@pytest.mark.real
def test_a_photograph_grows_flat_as_it_shrinks(lrfr_data: Path) -> None:
    path = lrfr_data / "lfw-112/images/Tony_Blair/Tony_Blair_0011.jpg"
    photograph = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    kernel = Kernel("bilinear", antialias=False)
    sides = [112, 56, 28, 16, 14, 7]
    measured = [image_sharpness(degrade(photograph, side, kernel, kernel)) for side in sides]
    print(*(f"{side} px: {q:.2f}" for side, q in zip(sides, measured, strict=True)))
    assert measured == sorted(measured, reverse=True)
    assert len(set(measured)) == len(sides)
    # the same row of another sharp photograph
    assert measured == pytest.approx([14.1, 5.9, 3.6, 2.7, 2.1, 1.3], rel=0.25)
