"""Anything that maps images to embeddings, and so can be evaluated."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from lrfr_lightning.backbones.base import Backbone, evaluating
from lrfr_lightning.transforms.pixel_spec import PixelSpec


class Embedder(ABC):
    """Maps faces to embeddings; the evaluation callback and ``lrfr evaluate`` use nothing else.

    Attributes:
        name: the model's name in results.
        pixel_spec: the network's input format.
    """

    name: str
    pixel_spec: PixelSpec

    @abstractmethod
    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → float32 embeddings ``(B, D)``."""

    @abstractmethod
    def to(self, device: torch.device) -> None:
        """Move the weights, if there are any, to a device."""


class ModuleEmbedder(Embedder):
    """A backbone as it stands in memory.

    Args:
        backbone: the network; used in eval mode, whatever mode it is in, and left as it was.
        name: the model's name in results.
    """

    def __init__(self, backbone: Backbone, name: str) -> None:
        self.backbone = backbone
        self.name = name
        self.pixel_spec = backbone.pixel_spec

    def to(self, device: torch.device) -> None:
        """Move the network to a device."""
        self.backbone.to(device)

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → float32 embeddings ``(B, D)``."""
        device = next(self.backbone.parameters()).device
        pixels = self.pixel_spec.normalise(images.to(device))
        with evaluating(self.backbone):
            # this layout is the faster one for convolutions, on CPUs by a third
            embedding: Tensor = self.backbone(pixels.contiguous(memory_format=torch.channels_last))
        return embedding.float()
