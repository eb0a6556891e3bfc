"""LightningDataModules and the batches they make."""

from lrfr_lightning.datamodules.batch import Batch
from lrfr_lightning.datamodules.faces import FaceDataModule

__all__ = ["Batch", "FaceDataModule"]
