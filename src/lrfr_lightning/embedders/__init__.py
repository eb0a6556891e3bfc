"""Anything that maps images to embeddings, and how protocols measure it."""

from lrfr_lightning.embedders.base import Embedder, ModuleEmbedder, RawPixels
from lrfr_lightning.embedders.extraction import evaluate, extract
from lrfr_lightning.embedders.files import CheckpointEmbedder, WeightsEmbedder

__all__ = [
    "CheckpointEmbedder",
    "Embedder",
    "ModuleEmbedder",
    "RawPixels",
    "WeightsEmbedder",
    "evaluate",
    "extract",
]
