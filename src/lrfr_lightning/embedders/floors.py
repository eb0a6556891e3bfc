"""Floors: what is reached with no model at all, by scene and colour alone."""

import torch
from torch import Tensor

from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.transforms.pixel_spec import PixelSpec


class RawPixels(Embedder):
    """No model at all: the pixels less their mean. What it reaches is what scene and colour give.

    Args:
        name: the model's name in results.
    """

    def __init__(self, name: str = "raw-pixels") -> None:
        self.name = name
        self.pixel_spec = PixelSpec()

    def to(self, device: torch.device) -> None:
        """Nothing to move."""

    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` → float32 ``(B, 37632)``, each with zero mean."""
        pixels = self.pixel_spec.normalise(images).flatten(1)
        return pixels - pixels.mean(dim=1, keepdim=True)


class MeanColour(Embedder):
    """No model at all: the mean colour of the image. What it reaches is what light and cast give.

    The embedding is ``((colour - 127.5) / 127.5, 1)``. Without the 1 the cosine would compare
    directions from mid-grey only: a dark face and a darker one of the same hue would be alike, and
    a mid-grey one would have no direction at all. With it the angle grows with the distance of the
    two colours, which lie between -1 and 1, and no embedding is zero.

    Args:
        name: the model's name in results.
    """

    def __init__(self, name: str = "mean-colour") -> None:
        self.name = name
        self.pixel_spec = PixelSpec()

    def to(self, device: torch.device) -> None:
        """Nothing to move."""

    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` → float32 ``(B, 4)``, the last column 1."""
        colour = self.pixel_spec.normalise(images).mean(dim=(2, 3))
        return torch.cat([colour, torch.ones_like(colour[:, :1])], dim=1)
