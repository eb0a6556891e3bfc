"""Restore first, then recognise: the other branch beside recognisers that bear low resolution."""

import torch
from torch import Tensor

from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.preprocessing.super_resolver import SuperResolver
from lrfr_lightning.utils.fingerprint import fingerprint_of


class RestoringEmbedder(Embedder):
    """A resolver before any other model.

    Args:
        resolver: restores each image, whatever its resolution was.
        embedder: the recogniser.
        name: the name in results; by default the resolver's, a plus, and the recogniser's.
    """

    def __init__(
        self, resolver: SuperResolver, embedder: Embedder, name: str | None = None
    ) -> None:
        self.resolver = resolver
        self.embedder = embedder
        self.name = name or f"{resolver.name}+{embedder.name}"
        self.pixel_spec = embedder.pixel_spec
        self.precision = embedder.precision

    def to(self, device: torch.device) -> None:
        """Move both."""
        self.resolver.to(device)
        self.embedder.to(device)

    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → float32 embeddings ``(B, D)``."""
        return self.embedder.embed(self.resolver.restore(images))

    def fingerprint(self) -> str | None:
        """That of both; None where either has none."""
        both = [self.resolver.fingerprint(), self.embedder.fingerprint()]
        return None if None in both else fingerprint_of(both, [])
