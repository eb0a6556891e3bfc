"""Normalisation, channel order and fit of the network's input."""

from typing import Any

import pytest
import torch

from lrfr_lightning.transforms import PixelSpec
from lrfr_lightning.utils.errors import ConfigError

IMAGES = torch.arange(2 * 3 * 112 * 112).reshape(2, 3, 112, 112).remainder(256).to(torch.uint8)


def test_default_maps_bytes_to_one_around_zero() -> None:
    made = PixelSpec().normalise(IMAGES)
    assert made.dtype == torch.float32
    torch.testing.assert_close(made, (IMAGES.float() - 127.5) / 127.5)


def test_bgr_swaps_channels_before_mean_and_std() -> None:
    spec = PixelSpec(mean=(1, 2, 3), std=(4, 5, 6), channel_order="BGR")
    made = spec.normalise(IMAGES)
    torch.testing.assert_close(made[:, 0], (IMAGES[:, 2].float() - 1) / 4)
    torch.testing.assert_close(made[:, 2], (IMAGES[:, 0].float() - 3) / 6)


def test_crop_takes_the_centre() -> None:
    made = PixelSpec(size=(112, 96), mean=(0, 0, 0), std=(1, 1, 1)).normalise(IMAGES)
    torch.testing.assert_close(made, IMAGES[:, :, :, 8:104].float())


def test_resize_fits_any_size() -> None:
    assert PixelSpec(size=(224, 224), fit="resize").normalise(IMAGES).shape == (2, 3, 224, 224)
    assert PixelSpec(size=(56, 56), fit="resize").normalise(IMAGES).shape == (2, 3, 56, 56)


def test_float_images_keep_gradient_and_precision() -> None:
    images = IMAGES.double().requires_grad_()
    made = PixelSpec().normalise(images)
    made.sum().backward()
    assert made.dtype == torch.float64
    assert images.grad is not None


def test_bad_input() -> None:
    with pytest.raises(ConfigError, match=r"expected images \(B, 3, H, W\), got shape \(3, 4, 4\)"):
        PixelSpec().normalise(torch.zeros(3, 4, 4))
    with pytest.raises(ConfigError, match="network input is 112x112 px, images are 56x56"):
        PixelSpec().normalise(torch.zeros(1, 3, 56, 56))
    with pytest.raises(ConfigError, match="std: expected values above 0"):
        PixelSpec(std=(1, 0, 1))


@pytest.mark.parametrize("mean", [(127.5, 127.5, 127.5), (120.0, 110.0, 100.0)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_every_image_of_a_large_batch_in_any_layout(mean: Any, layout: Any) -> None:
    images = torch.randint(0, 256, (21, 3, 112, 112), dtype=torch.uint8)
    made = PixelSpec(mean=mean, std=(60.0, 60.0, 60.0)).normalise(images.to(memory_format=layout))
    expected = (images.float() - torch.tensor(mean).view(3, 1, 1)) / 60
    torch.testing.assert_close(made, expected, rtol=0, atol=4e-7)
    assert made.is_contiguous(memory_format=layout)


def test_bytes_with_gaps_and_no_bytes_at_all() -> None:
    part = torch.randint(0, 256, (4, 3, 112, 130), dtype=torch.uint8)[::2, :, :, 5:117]
    torch.testing.assert_close(PixelSpec().normalise(part), (part.float() - 127.5) / 127.5)
    assert PixelSpec().normalise(part[:0]).shape == (0, 3, 112, 112)
