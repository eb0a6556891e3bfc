"""What runs beside training: protocols, pictures, statistics, a guard, embeddings on disk."""

from lrfr_lightning.callbacks.evaluation import ProtocolEvaluation
from lrfr_lightning.callbacks.nonfinite import NonFiniteGuard
from lrfr_lightning.callbacks.preview import BatchPreview
from lrfr_lightning.callbacks.statistics import MarginStatistics
from lrfr_lightning.callbacks.writer import EmbeddingWriter

__all__ = [
    "BatchPreview",
    "EmbeddingWriter",
    "MarginStatistics",
    "NonFiniteGuard",
    "ProtocolEvaluation",
]
