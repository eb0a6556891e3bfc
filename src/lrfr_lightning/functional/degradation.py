"""Degradation of a whole batch to low resolutions and back, on the device it lies on.

On a CPU torch resizes neighbours of equal side together, from their place in the batch and back to
it, some six times as fast as Pillow resizes them one by one. On other devices the same arithmetic
is a matrix product for each axis, and gives the same pixels. torch's 16-bit weights differ from
Pillow's 22 bits, with which the protocols degrade
(:func:`~lrfr_lightning.functional.resize.degrade`): 0.7 % of the pixels of a face differ by one
grey level and 0.003 % by more, by 3 at most of what was seen.
"""

from collections.abc import Sequence
from itertools import pairwise
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
        images: uint8 ``(B, 3, H, W)``; fastest on a CPU where it is channels-last in memory and
            images of equal resolution lie side by side.
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
        laid = images.contiguous(memory_format=torch.channels_last)  # itself where it is so
        _degrade_on_cpu(laid, sides, down, up)
        if laid is not images:
            images.copy_(laid)
    else:
        places = torch.from_numpy(chosen).to(images.device)
        images[places] = by_products(images[places], sides[chosen].tolist(), down, up)
    return images


@torch.inference_mode()
def _degrade_on_cpu(images: Tensor, sides: NDArray[np.int64], down: Kernel, up: Kernel) -> None:
    height, width = images.shape[2:]
    edges = [0, *(np.flatnonzero(np.diff(sides)) + 1).tolist(), len(sides)]
    for start, stop in pairwise(edges):
        side = int(sides[start])
        if side == min(height, width):
            continue
        same = images[start:stop]
        small = _resize(same, side, side, down)
        _resize(small, height, width, up, out=same)


def _resize(
    images: Tensor, height: int, width: int, kernel: Kernel, out: Tensor | None = None
) -> Tensor:
    """Images ``(n, 3, H, W)`` of another size, in ``out`` where it is given."""
    if kernel in TORCH_KERNELS:
        resized: Tensor = _TORCH[kernel.name](images, [height, width], False, None, None, out=out)
        return resized
    faces = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
    made = np.stack([resize(face, height, width, kernel) for face in faces])
    resized = torch.from_numpy(made).permute(0, 3, 1, 2)
    return resized if out is None else out.copy_(resized)


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
