"""A batch degraded together, on the CPU and by products, against one image at a time."""

import numpy as np
import pytest
import torch

from lrfr_lightning.functional.degradation import by_products, degrade_
from lrfr_lightning.functional.resize import BICUBIC, Kernel, degrade
from lrfr_lightning.utils.errors import ConfigError

SIDES = [6, 7, 14, 14, 23, 31, 56, 111]
NAMES = ["nearest", "box", "bilinear", "bicubic", "lanczos"]
KERNELS = [Kernel(name) for name in NAMES]  # type: ignore[arg-type]
OPENCV_KERNELS = [Kernel(name, False) for name in NAMES if name != "box"]  # type: ignore[arg-type]


def batch(side: int = 112) -> torch.Tensor:
    """Smooth images with noise, channels-last, so that rounding is seen at every level."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 200, side)[None, :, None, None] + rng.integers(0, 56, (8, side, side, 3))
    return torch.from_numpy(ramp.astype(np.uint8)).permute(0, 3, 1, 2)


def one_by_one(images: torch.Tensor, sides: list[int], down: Kernel, up: Kernel) -> torch.Tensor:
    faces = images.permute(0, 2, 3, 1).numpy()
    made = [degrade(f, s, down, up) for f, s in zip(faces, sides, strict=True)]
    return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2)


def apart(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return (first.int() - second.int()).abs()


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_one_arithmetic_on_every_device(kernel: Kernel) -> None:
    images = batch()
    products = by_products(images, SIDES, kernel, kernel)
    on_cpu = degrade_(images.clone(), torch.tensor(SIDES), kernel, kernel)
    assert torch.equal(products, on_cpu)


@pytest.mark.parametrize("kernel", KERNELS + OPENCV_KERNELS, ids=str)
def test_is_what_one_image_at_a_time_becomes(kernel: Kernel) -> None:
    images = batch()
    made = apart(
        degrade_(images.clone(), torch.tensor(SIDES), kernel, kernel),
        one_by_one(images, SIDES, kernel, kernel),
    )
    if kernel not in (Kernel("bilinear"), BICUBIC):
        assert made.max() == 0
    assert (made > 0).float().mean() < 0.02
    assert (made > 1).float().mean() < 2e-4


def test_sides_of_a_face_that_is_not_square() -> None:
    images = batch()[:, :, :, :96].contiguous()
    products = by_products(images, SIDES[:7] + [95], BICUBIC, BICUBIC)
    sides = torch.tensor([*SIDES[:7], 95])
    assert torch.equal(products, degrade_(images.clone(), sides, BICUBIC, BICUBIC))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("sides", [[1] * 8, [1, 1, 2, 2, 3, 5, 5, 111], [9, 112, 9, 112] * 2])
def test_any_layout_and_any_order(layout: torch.memory_format, sides: list[int]) -> None:
    images = batch()
    expected = by_products(images, [side % 112 or 7 for side in sides], BICUBIC, BICUBIC)
    whole = torch.tensor(sides) == 112
    expected[whole] = images[whole]
    laid = images.contiguous(memory_format=layout)
    assert torch.equal(degrade_(laid, torch.tensor(sides), BICUBIC, BICUBIC), expected)
    assert laid.is_contiguous(memory_format=layout)


def test_others_stay_and_the_batch_is_changed_in_place() -> None:
    images = batch()
    before = images.clone()
    made = degrade_(images, torch.tensor([112, 9] * 4), BICUBIC, BICUBIC)
    assert made is images
    assert torch.equal(made[::2], before[::2])
    assert (made[1::2] != before[1::2]).flatten(1).any(1).all()


def test_products_refuse_opencv_s_arithmetic() -> None:
    with pytest.raises(ConfigError, match=r"with antialias, got 'bicubic, antialias' and 'bilin"):
        by_products(batch(), SIDES, BICUBIC, Kernel("bilinear", False))


@pytest.mark.gpu
@pytest.mark.parametrize("kernel", [BICUBIC, Kernel("lanczos")], ids=str)
def test_a_gpu_makes_the_same_pixels(kernel: Kernel) -> None:
    images, sides = batch(), torch.tensor(SIDES)
    on_gpu = degrade_(images.cuda(), sides.cuda(), kernel, kernel).cpu()
    assert torch.equal(on_gpu, degrade_(images, sides, kernel, kernel))


@pytest.mark.parametrize("side", [0, 113])
def test_refuses_a_side_that_does_not_fit(side: int) -> None:
    with pytest.raises(ConfigError, match=rf"resolution {side} px .* expected 1\.\.112"):
        degrade_(batch(), torch.tensor([side] * 8), BICUBIC, BICUBIC)
