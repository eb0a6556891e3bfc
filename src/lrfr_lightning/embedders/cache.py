"""Embeddings kept on disk, by content: of the model, and of each image as the network sees it.

A second protocol that shows the same pixels does not run the network on them again, whatever the
files are called. The mirrored image is another image. An embedding depends a little on the batch
the network saw it in (about 1e-6 of its length), so a run with a part of them kept may differ by
that from one without.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.embedders.store import EmbeddingStore
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.paths import expand


class CachedEmbedder(Embedder):
    """Looks embeddings up before it runs a model.

    Args:
        embedder: the model.
        folder: of the cache; each model has its own folder in it.

    Raises:
        ConfigError: the model has no fingerprint.
    """

    def __init__(self, embedder: Embedder, folder: str | Path) -> None:
        key = embedder.fingerprint()
        if key is None:
            raise ConfigError(
                f"{embedder.name} has no fingerprint: nothing tells it from another model, so "
                "its embeddings cannot be kept; evaluate it without a cache"
            )
        self.embedder = embedder
        self.name = embedder.name
        self.pixel_spec = embedder.pixel_spec
        self.precision = embedder.precision
        self.metadata = embedder.metadata
        self.store = EmbeddingStore(expand(folder) / key)

    def to(self, device: torch.device) -> None:
        """Move the model."""
        self.embedder.to(device)

    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → float32 embeddings ``(B, D)`` on the CPU."""
        keys = [content_key(image) for image in images]
        missing = {key: i for i, key in enumerate(keys) if key not in self.store}
        if missing:
            fresh = self.embedder.embed(images[list(missing.values())])
            self.store.add(list(missing), fresh.cpu().numpy())
        return torch.from_numpy(np.stack([self.store[key] for key in keys]))

    def fingerprint(self) -> str | None:
        """The model's."""
        return self.embedder.fingerprint()

    def flush(self) -> None:
        """Write what is new to disk."""
        self.store.flush()


def content_key(image: Tensor) -> bytes:
    """SHA-256 of an image's type, shape and pixels."""
    pixels = np.ascontiguousarray(image.cpu().numpy())
    return hashlib.sha256(f"{pixels.dtype}{pixels.shape}".encode() + pixels.tobytes()).digest()
