"""Resampling as whole numbers: the weights that torch and Pillow resize uint8 images with.

Both resize along one axis after the other and round in between. A pass is ``out = clip((sum_i
pixel_i * weight_i + half) >> precision)`` with integer weights. Products and sums of whole numbers
are exact on every device, so that a matrix product there gives the very pixels of the CPU.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.resize import TORCH_KERNELS, Kernel

_SUPPORT = {"nearest": 0.5, "box": 0.5, "bilinear": 1.0, "bicubic": 2.0, "lanczos": 3.0}
_BITS = 22  # behind the point, Pillow; torch fits its weights into 16 bits


class Weights(NamedTuple):
    """How one axis is resized.

    A weight is ``(high * 2**11 + low) / 2**precision``. ``high`` has up to 12 bits and ``low`` up
    to 10, so that sums of their products with the pixels of a face stay below 2**24: exact in
    float32, TF32 included.

    Attributes:
        high: float32 ``(size, target)``, whole numbers.
        low: float32 ``(size, target)``, whole numbers.
        precision: bits behind the point.
    """

    high: NDArray[np.float32]
    low: NDArray[np.float32]
    precision: int


@lru_cache(maxsize=512)
def whole_weights(size: int, target: int, kernel: Kernel) -> Weights:
    """Weights that take an axis from ``size`` to ``target`` px, kernels with antialias only."""
    real = _antialiased(size, target, kernel.name)
    bits = _torch_bits(float(real.max())) if kernel in TORCH_KERNELS else _BITS
    scaled = real * (1 << bits)
    whole = np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int64)
    high = (whole + (1 << 10)) >> 11
    return Weights(high.astype(np.float32), (whole - (high << 11)).astype(np.float32), bits)


def _antialiased(size: int, target: int, name: str) -> NDArray[np.float64]:
    """Weights ``(size, target)``, each column of sum 1."""
    scale = size / target
    centre = (np.arange(target) + 0.5) * scale
    pixel = np.arange(size)[:, None]
    if name == "nearest":
        walked = np.cumsum([scale / 2, *[scale] * (target - 1)])  # as Pillow: it rounds each step
        return np.asarray(pixel == walked.astype(np.int64), np.float64)
    stretch = max(scale, 1.0)
    support = _SUPPORT[name] * stretch
    first = np.maximum((centre - support + 0.5).astype(np.int64), 0)
    last = np.minimum((centre + support + 0.5).astype(np.int64), size)
    weights = _curve(name, (pixel - centre + 0.5) / stretch) * ((pixel >= first) & (pixel < last))
    return np.asarray(weights / weights.sum(0), np.float64)


def _curve(name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The kernel at distance ``x``, px of the coarser image."""
    away = np.abs(x)
    if name == "box":
        return np.asarray((x > -0.5) & (x <= 0.5), np.float64)
    if name == "bilinear":
        return np.asarray(np.maximum(1 - away, 0), np.float64)
    if name == "bicubic":  # Keys, a = -0.5
        near = (1.5 * away - 2.5) * away * away + 1
        far = ((-0.5 * away + 2.5) * away - 4) * away + 2
        return np.where(away < 1, near, np.where(away < 2, far, 0))
    return np.where(away < 3, np.sinc(x) * np.sinc(x / 3), 0)


def _torch_bits(largest: float) -> int:
    """As many bits as leave the largest weight below 2**15, at most ``_BITS``."""
    too_many = (p for p in range(_BITS) if int(0.5 + largest * (1 << (p + 1))) >= 1 << 15)
    return next(too_many, _BITS)
