"""What runs beside training: protocols, pictures, statistics, guards, embeddings on disk."""

from lrfr_lightning.callbacks.evaluation import ProtocolEvaluation
from lrfr_lightning.callbacks.nonfinite import NonFiniteGuard
from lrfr_lightning.callbacks.preemption import SaveOnSigterm
from lrfr_lightning.callbacks.preview import BatchPreview
from lrfr_lightning.callbacks.ranks import RankWatch
from lrfr_lightning.callbacks.statistics import MarginStatistics
from lrfr_lightning.callbacks.wandb_logger import SteadyWandbLogger
from lrfr_lightning.callbacks.writer import EmbeddingWriter

__all__ = [
    "BatchPreview",
    "EmbeddingWriter",
    "MarginStatistics",
    "NonFiniteGuard",
    "ProtocolEvaluation",
    "RankWatch",
    "SaveOnSigterm",
    "SteadyWandbLogger",
]
