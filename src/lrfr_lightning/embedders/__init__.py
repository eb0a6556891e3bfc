"""Anything that maps images to embeddings, and how protocols measure it."""

from lrfr_lightning.embedders.base import Embedder, ModuleEmbedder
from lrfr_lightning.embedders.cache import CachedEmbedder
from lrfr_lightning.embedders.extraction import evaluate, extract
from lrfr_lightning.embedders.files import CheckpointEmbedder, WeightsEmbedder
from lrfr_lightning.embedders.floors import MeanColour, RawPixels
from lrfr_lightning.embedders.function import CallableEmbedder
from lrfr_lightning.embedders.metadata import ModelMetadata
from lrfr_lightning.embedders.onnx_file import OnnxEmbedder
from lrfr_lightning.embedders.opening import open_model
from lrfr_lightning.embedders.program_file import ProgramEmbedder
from lrfr_lightning.embedders.restoring import RestoringEmbedder
from lrfr_lightning.embedders.safetensors_file import SafetensorsEmbedder

__all__ = [
    "CachedEmbedder",
    "CallableEmbedder",
    "CheckpointEmbedder",
    "Embedder",
    "MeanColour",
    "ModelMetadata",
    "ModuleEmbedder",
    "OnnxEmbedder",
    "ProgramEmbedder",
    "RawPixels",
    "RestoringEmbedder",
    "SafetensorsEmbedder",
    "WeightsEmbedder",
    "evaluate",
    "extract",
    "open_model",
]
