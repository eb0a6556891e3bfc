"""Anything that maps images to embeddings, and how protocols measure it."""

from lrfr_lightning.embedders.base import Embedder, ModuleEmbedder
from lrfr_lightning.embedders.cache import CachedEmbedder
from lrfr_lightning.embedders.extraction import evaluate, extract
from lrfr_lightning.embedders.files import CheckpointEmbedder, WeightsEmbedder
from lrfr_lightning.embedders.floors import MeanColour, RawPixels
from lrfr_lightning.embedders.function import CallableEmbedder
from lrfr_lightning.embedders.onnx_export import export_onnx
from lrfr_lightning.embedders.onnx_file import OnnxEmbedder
from lrfr_lightning.embedders.restoring import RestoringEmbedder

__all__ = [
    "CachedEmbedder",
    "CallableEmbedder",
    "CheckpointEmbedder",
    "Embedder",
    "MeanColour",
    "ModuleEmbedder",
    "OnnxEmbedder",
    "RawPixels",
    "RestoringEmbedder",
    "WeightsEmbedder",
    "evaluate",
    "export_onnx",
    "extract",
]
