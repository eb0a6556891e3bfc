"""Anything that maps images to embeddings, and so can be evaluated."""

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Literal, get_args

import torch
from torch import Tensor

from lrfr_lightning.backbones.base import Backbone, evaluating
from lrfr_lightning.embedders.metadata import ModelMetadata
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.fingerprint import fingerprint_of, module_bytes
from lrfr_lightning.utils.recipe import class_path

Precision = Literal["float32", "bf16"]


class Embedder(ABC):
    """Maps faces to embeddings; the evaluation callback and ``lrfr evaluate`` use nothing else.

    Attributes:
        name: the model's name in results.
        pixel_spec: the network's input format.
        precision: what it computes in; embeddings are float32 in any case.
        metadata: what its file says beside that; None where it is no exported file.
    """

    name: str
    pixel_spec: PixelSpec
    precision: Precision = "float32"
    metadata: ModelMetadata | None = None

    @abstractmethod
    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → float32 embeddings ``(B, D)``."""

    @abstractmethod
    def to(self, device: torch.device) -> None:
        """Move the weights, if there are any, to a device."""

    def fingerprint(self) -> str | None:
        """What tells this model from every other, by content; None: nothing does.

        Embeddings are kept on disk under it, so that it covers weights and input format.
        """
        return None


class ModuleEmbedder(Embedder):
    """A backbone as it stands in memory.

    Args:
        backbone: the network; used in eval mode, whatever mode it is in, and left as it was.
        name: the model's name in results.
        precision: ``bf16`` computes convolutions and products in bfloat16, twice as fast where the
            hardware has it, and moves embeddings by about 2 %; see ``docs/evaluation.md``.

    Raises:
        ConfigError: no such precision.
    """

    def __init__(self, backbone: Backbone, name: str, precision: Precision = "float32") -> None:
        if precision not in get_args(Precision):
            raise ConfigError(
                f"{name}: expected a precision of {', '.join(get_args(Precision))}, "
                f"got {precision!r}"
            )
        self.backbone = backbone
        self.name = name
        self.precision = precision
        self.pixel_spec = backbone.pixel_spec

    def to(self, device: torch.device) -> None:
        """Move the network to a device."""
        self.backbone.to(device)

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → float32 embeddings ``(B, D)``."""
        device = next(self.backbone.parameters()).device
        pixels = self.pixel_spec.normalise(images.to(device))
        reduced = torch.autocast(
            device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"
        )
        with evaluating(self.backbone), reduced:
            # this layout is the faster one for convolutions, on CPUs by a third
            embedding: Tensor = self.backbone(pixels.contiguous(memory_format=torch.channels_last))
        return embedding.float()

    def fingerprint(self) -> str:
        """Network, weights, input format and precision."""
        made = [class_path(type(self.backbone)), repr(self.backbone), asdict(self.pixel_spec)]
        if self.precision != "float32":
            made.append(self.precision)
        return fingerprint_of(made, module_bytes(self.backbone))
