"""LightningModules: what is trained, and towards what."""

from lrfr_lightning.tasks.recognition import RecognitionTask
from lrfr_lightning.tasks.schedules import WarmupCosine

__all__ = ["RecognitionTask", "WarmupCosine"]
