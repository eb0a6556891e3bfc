"""Any Python function as a model."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError


class CallableEmbedder(Embedder):
    """A function of normalised images, in YAML its import path.

    What it computes cannot be known, so that its embeddings are never kept on disk.

    Args:
        function: float32 ``(B, 3, *pixel_spec.size)`` on the device in use → ``(B, D)``, a tensor
            or an array.
        name: the model's name in results.
        pixel_spec: the function's input format; by default RGB of 112x112 px, -1..1.
    """

    def __init__(
        self,
        function: Callable[[Tensor], Any],
        name: str,
        pixel_spec: PixelSpec | None = None,
    ) -> None:
        self.function = function
        self.name = name
        self.pixel_spec = pixel_spec or PixelSpec()
        self._device = torch.device("cpu")

    def to(self, device: torch.device) -> None:
        """Where images are sent; the function looks after its own weights."""
        self._device = device

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → float32 embeddings ``(B, D)``.

        Raises:
            ConfigError: the function gives anything but a row per image.
        """
        found = self.function(self.pixel_spec.normalise(images.to(self._device)))
        embedding = torch.from_numpy(found) if isinstance(found, np.ndarray) else found
        if (
            not isinstance(embedding, Tensor)
            or embedding.ndim != 2
            or len(embedding) != len(images)
        ):
            shape = getattr(found, "shape", type(found).__name__)
            raise ConfigError(
                f"{self.name}: expected embeddings ({len(images)}, D) for {len(images)} images, "
                f"got {type(found).__name__} {tuple(shape)}"
            )
        return embedding.float()
