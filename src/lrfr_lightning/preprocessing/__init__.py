"""From a raw photograph to an aligned face."""

from lrfr_lightning.preprocessing.aligner import Alignment, FaceAligner
from lrfr_lightning.preprocessing.detector import Detection, Detector
from lrfr_lightning.preprocessing.folder import align_folder
from lrfr_lightning.preprocessing.mtcnn import MTCNN
from lrfr_lightning.preprocessing.yunet import YuNet

__all__ = [
    "MTCNN",
    "Alignment",
    "Detection",
    "Detector",
    "FaceAligner",
    "YuNet",
    "align_folder",
]
