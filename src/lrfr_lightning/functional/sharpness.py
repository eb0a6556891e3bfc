"""Sharpness of a face: the average discrete Laplacian.

``q = mean |Lap(I)|`` over pixels and channels, in grey levels of the 0..255 image, with the kernel
``[[0, 1, 0], [1, -4, 1], [0, 1, 0]]``. At the border the image is reflected about its outermost
pixel, which is not repeated (``abc|ba``; OpenCV's ``BORDER_REFLECT_101``). Measured on the image as
the network sees it, after degradation: a sharp face of 112 px has about 14, the same face brought
back from 16 px about 2.7, a flat image 0. Two functions give the same number, of an image and of a
batch on any device.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrfr_lightning.functional.image import Image
from lrfr_lightning.utils.errors import ConfigError


def laplacian(image: Image) -> NDArray[np.int16]:
    """The discrete Laplacian of each channel.

    Args:
        image: uint8 ``(H, W, 3)``, H and W at least 2.

    Returns:
        int16 ``(H, W, 3)``, exact, -1020..1020 grey levels.

    Raises:
        ConfigError: another type or shape.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or min(image.shape[:2]) < 2:
        raise ConfigError(
            "sharpness: expected a uint8 image (H, W, 3) of at least 2x2 px with values 0..255, "
            f"got {image.dtype} {image.shape}"
        )
    # ksize=1 is OpenCV's name for the kernel above
    result = cv2.Laplacian(image, cv2.CV_16S, ksize=1, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(result, np.int16)


def image_sharpness(image: Image) -> float:
    """The average Laplacian of one image.

    Args:
        image: uint8 ``(H, W, 3)``, H and W at least 2.

    Returns:
        q ≥ 0 in grey levels; whole numbers are summed, so that no digit is lost.

    Raises:
        ConfigError: another type or shape.
    """
    values = laplacian(image)
    return float(cv2.norm(values, cv2.NORM_L1)) / values.size


def batch_sharpness(images: Tensor) -> Tensor:
    """The average Laplacian of each image of a batch, on the device of the batch.

    Args:
        images: ``(B, 3, H, W)``, uint8 or float, values 0..255 and not normalised; H and W at
            least 2.

    Returns:
        float32 ``(B,)``, q ≥ 0 in grey levels; of uint8, whole numbers are summed.

    Raises:
        ConfigError: another shape.
    """
    if images.ndim != 4 or min(images.shape[2:]) < 2:
        raise ConfigError(
            "sharpness: expected images (B, 3, H, W) of at least 2x2 px with values 0..255, "
            f"got shape {tuple(images.shape)}"
        )
    exact = not images.is_floating_point()
    if images.dtype == torch.uint8 and images.device.type == "cpu":
        faces = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
        return torch.tensor([image_sharpness(face) for face in faces], dtype=torch.float32)
    pixels = images.to(torch.int16 if exact else torch.float32)
    laplacians = _neighbours(pixels, 2) + _neighbours(pixels, 3) - 4 * pixels
    total = laplacians.abs().sum((1, 2, 3), dtype=torch.int64 if exact else torch.float32)
    return total / images[0].numel() if len(images) else total.float()


def _neighbours(pixels: Tensor, dim: int) -> Tensor:
    """Sum of the two neighbours along ``dim``, reflected at the border; the shape stays."""
    size = pixels.shape[dim]
    before = torch.cat([pixels.narrow(dim, 1, 1), pixels.narrow(dim, 0, size - 1)], dim)
    after = torch.cat([pixels.narrow(dim, 1, size - 1), pixels.narrow(dim, size - 2, 1)], dim)
    return before + after
