"""Degradation of a whole batch to low resolutions and back, on the device it lies on.

On a CPU torch resizes images of equal side together, some six times as fast as Pillow resizes them
one by one. On other devices the same arithmetic is a matrix product for each axis, and gives the
same pixels. torch's 16-bit weights differ from Pillow's 22 bits, with which the protocols degrade
(:func:`~lrfr_lightning.functional.resize.degrade`): 0.7 % of the pixels of a face differ by one
grey level and 0.003 % by more, by 3 at most of what was seen.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrfr_lightning.functional.resize import TORCH_KERNELS, Kernel, check_resolution, resize
from lrfr_lightning.functional.resize_weights import whole_weights
from lrfr_lightning.utils.errors import ConfigError

# what interpolate(..., antialias=True) calls, without the tenth of the time that it takes itself
_TORCH: dict[str, Any] = {
    "bilinear": torch._C._nn._upsample_bilinear2d_aa,
    "bicubic": torch._C._nn._upsample_bicubic2d_aa,
}


def degrade_(images: Tensor, resolution: Tensor, down: Kernel, up: Kernel) -> Tensor:
    """Shrink each image to its resolution and bring it back to its own size, in place.

    Args:
        images: uint8 ``(B, 3, H, W)``; fastest on a CPU where it is channels-last in memory.
        resolution: int64 ``(B,)``, side of the small image, px; at the image's own side nothing
            happens.
        down: kernel that shrinks.
        up: kernel that enlarges.

    Returns:
        ``images``.

    Raises:
        ConfigError: a resolution is below 1 or larger than the images.
    """
    height, width = images.shape[2:]
    sides = resolution.cpu().numpy()
    chosen = np.flatnonzero(sides != min(height, width))
    if not len(chosen):
        return images
    for side in (sides.min(), sides.max()):
        check_resolution(int(side), height, width)
    if images.device.type == "cpu":
        _degrade_on_cpu(images, sides, down, up)
    else:
        places = torch.from_numpy(chosen).to(images.device)
        images[places] = by_products(images[places], sides[chosen].tolist(), down, up)
    return images


@torch.inference_mode()
def _degrade_on_cpu(images: Tensor, sides: NDArray[np.int64], down: Kernel, up: Kernel) -> None:
    pixels = images.permute(0, 2, 3, 1).numpy()
    height, width = images.shape[2:]
    order = np.argsort(sides, kind="stable")
    order = order[sides[order] != min(height, width)]
    for same in np.split(order, np.flatnonzero(np.diff(sides[order])) + 1):
        side = int(sides[same[0]])
        small = _resized(pixels[same], side, side, down)
        pixels[same] = _resized(small, height, width, up)


def _resized(
    images: NDArray[np.uint8], height: int, width: int, kernel: Kernel
) -> NDArray[np.uint8]:
    """Images ``(n, H, W, 3)`` of another size."""
    if kernel not in TORCH_KERNELS:
        return np.stack([resize(image, height, width, kernel) for image in images])
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
    made = _TORCH[kernel.name](pixels, [height, width], False, None, None)
    return np.asarray(made.permute(0, 2, 3, 1).numpy(), np.uint8)


def by_products(images: Tensor, sides: Sequence[int], down: Kernel, up: Kernel) -> Tensor:
    """What :func:`degrade_` makes of images that all shrink, by matrix products on any device.

    Args:
        images: uint8 ``(n, 3, H, W)``.
        sides: of the n small images, px.
        down: kernel that shrinks.
        up: kernel that enlarges.

    Returns:
        uint8 ``(n, 3, H, W)``.

    Raises:
        ConfigError: a kernel without antialias: OpenCV's arithmetic differs from kernel to kernel.
    """
    if not (down.antialias and up.antialias):
        raise ConfigError(
            f"degradation on a device: expected kernels with antialias, got '{down}' and '{up}'; "
            "degrade in the workers instead (where: workers)"
        )
    height, width = images.shape[2:]
    pixels = images.float()
    pixels = _along_last(pixels, [(width, side) for side in sides], down)
    pixels = _along_last(pixels.mT, [(height, side) for side in sides], down)
    pixels = _along_last(pixels.mT, [(side, width) for side in sides], up)
    pixels = _along_last(pixels.mT, [(side, height) for side in sides], up)
    return pixels.mT.to(torch.uint8)


def _along_last(pixels: Tensor, sizes: Sequence[tuple[int, int]], kernel: Kernel) -> Tensor:
    """Resize the last axis of ``(n, 3, a, b)``, from and to a size for each image; whole numbers.

    The smaller images of a batch are padded with zeros, which nobody reads.
    """
    weights = [whole_weights(*size, kernel) for size in sizes]
    high = (pixels @ _padded([w.high for w in weights], pixels)).int()
    low = (pixels @ _padded([w.low for w in weights], pixels)).int()
    bits = torch.tensor([w.precision for w in weights], device=pixels.device, dtype=torch.int32)
    bits = bits.view(-1, 1, 1, 1)
    return (((high << 11) + low + (1 << (bits - 1))) >> bits).clamp(0, 255).float()


def _padded(weights: Sequence[NDArray[np.float32]], pixels: Tensor) -> Tensor:
    """One matrix for each image, float32 ``(n, 1, b, longest target)``."""
    longest = max(matrix.shape[1] for matrix in weights)
    padded = np.zeros((len(weights), 1, pixels.shape[-1], longest), np.float32)
    for place, matrix in zip(padded, weights, strict=True):
        place[0, : matrix.shape[0], : matrix.shape[1]] = matrix
    return torch.from_numpy(padded).to(pixels.device)
