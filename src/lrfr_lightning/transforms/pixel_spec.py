"""How a network wants its pixels: the only place that normalises or swaps channels."""

from dataclasses import dataclass
from typing import Literal

import cv2
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from lrfr_lightning.utils.errors import ConfigError

MAX_SIDE = 4096
"""Of a network's input, px; files say it, and images are resized to it."""

_IN_CACHE = 8  # images; 1.2 MB as float


@dataclass(frozen=True)
class PixelSpec:
    """Input format of a network; it travels with every backbone, embedder and export.

    Images are RGB with values 0..255 everywhere else in the library.

    Attributes:
        size: height and width of the network's input, px.
        mean: subtracted per channel, in 0..255, in the network's channel order.
        std: divided by per channel, in 0..255, in the network's channel order.
        channel_order: the order of channels the network was trained with.
        fit: how another image size becomes ``size``: its centre is cut out, or it is resized
            (bilinear, antialiased).
    """

    size: tuple[int, int] = (112, 112)
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: tuple[float, float, float] = (127.5, 127.5, 127.5)
    channel_order: Literal["RGB", "BGR"] = "RGB"
    fit: Literal["crop", "resize"] = "crop"

    def __post_init__(self) -> None:
        # YAML and JSON give lists; tuples keep the object hashable
        for name in ("size", "mean", "std"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if len(self.size) != 2 or min(self.size) < 1 or max(self.size) > MAX_SIDE:
            raise ConfigError(
                f"PixelSpec.size: expected (height, width) in px, at most {MAX_SIDE}, "
                f"got {self.size}"
            )
        if min(self.std) <= 0:
            raise ConfigError(f"PixelSpec.std: expected values above 0, got {self.std}")
        if (len(self.mean), len(self.std)) != (3, 3):
            raise ConfigError(f"PixelSpec: expected mean and std of three channels, got {self}")
        if self.channel_order not in ("RGB", "BGR") or self.fit not in ("crop", "resize"):
            raise ConfigError(
                "PixelSpec: expected channel_order RGB or BGR and fit crop or resize, "
                f"got {self.channel_order!r:.20} and {self.fit!r:.20}"
            )

    def normalise(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, H, W)``, RGB, 0..255, uint8 or float → float network input.

        Returns:
            float32 ``(B, 3, *size)`` (float64 in, float64 out), on the device of the input.

        Raises:
            ConfigError: not ``(B, 3, H, W)``, or smaller than ``size`` where a crop is wanted.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise ConfigError(f"expected images (B, 3, H, W), got shape {tuple(images.shape)}")
        pixels = self._fitted(images)
        if self.channel_order == "BGR":
            pixels = pixels.flip(1)
        if pixels.is_floating_point():
            return (pixels - _constant(self.mean, pixels)) / _constant(self.std, pixels)
        made = torch.empty_like(pixels, dtype=torch.float32)
        if _one_pass(self, pixels, made):
            _scale(pixels, made, 1 / self.std[0], -self.mean[0] / self.std[0])
            return made
        mean, std = _constant(self.mean, made), _constant(self.std, made)
        # on a CPU a few images at a time, which its cache holds over the three operations
        step = _IN_CACHE if made.device.type == "cpu" else max(1, len(made))
        for start in range(0, len(made), step):
            some = slice(start, start + step)
            made[some].copy_(pixels[some]).sub_(mean).div_(std)
        return made

    def _fitted(self, images: Tensor) -> Tensor:
        height, width = self.size
        if images.shape[2:] == (height, width):
            return images
        if self.fit == "resize":
            return interpolate(images.float(), self.size, mode="bilinear", antialias=True)
        top, left = (images.shape[2] - height) // 2, (images.shape[3] - width) // 2
        if top < 0 or left < 0:
            raise ConfigError(
                f"network input is {height}x{width} px, images are "
                f"{images.shape[2]}x{images.shape[3]}; use fit='resize' or larger images"
            )
        return images[:, :, top : top + height, left : left + width]


def _one_pass(spec: PixelSpec, pixels: Tensor, made: Tensor) -> bool:
    """Whether OpenCV can do it: bytes without gaps on a CPU, all channels alike."""
    alike = len(set(spec.mean)) == len(set(spec.std)) == 1
    return (
        alike
        and len(pixels) > 0
        and pixels.dtype == torch.uint8
        and pixels.device.type == "cpu"
        and pixels.stride() == made.stride()
    )


def _scale(pixels: Tensor, made: Tensor, factor: float, offset: float) -> None:
    """``made = factor * pixels + offset`` in one pass over the memory, where torch takes three."""
    flat = (1, pixels.numel()), (pixels.numel(), 1)
    source, target = (tensor.as_strided(*flat).numpy() for tensor in (pixels, made))
    cv2.addWeighted(source, factor, source, 0, offset, target, cv2.CV_32F)


def _constant(values: tuple[float, float, float], like: Tensor) -> Tensor:
    """A value per channel, or one where they are equal, which is faster in any memory layout."""
    if len(set(values)) == 1:
        return like.new_tensor(values[0])
    return like.new_tensor(values).view(3, 1, 1)
