"""Anything that maps images to embeddings, and how protocols measure it."""

from lrfr_lightning.embedders.base import Embedder, ModuleEmbedder
from lrfr_lightning.embedders.extraction import evaluate, extract
from lrfr_lightning.embedders.files import CheckpointEmbedder, WeightsEmbedder
from lrfr_lightning.embedders.floors import MeanColour, RawPixels

__all__ = [
    "CheckpointEmbedder",
    "Embedder",
    "MeanColour",
    "ModuleEmbedder",
    "RawPixels",
    "WeightsEmbedder",
    "evaluate",
    "extract",
]
