"""Where images come from."""

from lrfr_lightning.datasets.base import FaceDataset, ImageSource
from lrfr_lightning.datasets.embedded import EmbeddedFaces
from lrfr_lightning.datasets.image_folder import ImageFolder
from lrfr_lightning.datasets.lfw import LFWPeople
from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.datasets.parquet import ParquetFaces
from lrfr_lightning.datasets.recordio import RecordIO

__all__ = [
    "EmbeddedFaces",
    "FaceDataset",
    "ImageFolder",
    "ImageSource",
    "LFWPeople",
    "ParquetFaces",
    "RecordIO",
    "VerificationPairs",
]
