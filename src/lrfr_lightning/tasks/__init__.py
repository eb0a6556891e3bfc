"""LightningModules: what is trained, and towards what."""

from lrfr_lightning.tasks.checkpoint_io import WholeCheckpointIO
from lrfr_lightning.tasks.derivenet import DeriveNetTask
from lrfr_lightning.tasks.distillation import DistillationTask
from lrfr_lightning.tasks.octuplet import OctupletTask
from lrfr_lightning.tasks.recognition import RecognitionTask
from lrfr_lightning.tasks.schedules import WarmupCosine
from lrfr_lightning.tasks.siamese import SiameseTask
from lrfr_lightning.tasks.super_resolution import SuperResolutionTask

__all__ = [
    "DeriveNetTask",
    "DistillationTask",
    "OctupletTask",
    "RecognitionTask",
    "SiameseTask",
    "SuperResolutionTask",
    "WarmupCosine",
    "WholeCheckpointIO",
]
