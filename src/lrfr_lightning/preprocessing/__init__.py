"""From a raw photograph to an aligned face."""

from lrfr_lightning.preprocessing.aligner import Alignment, FaceAligner
from lrfr_lightning.preprocessing.detector import Detection, Detector
from lrfr_lightning.preprocessing.folder import align_folder
from lrfr_lightning.preprocessing.mtcnn import MTCNN
from lrfr_lightning.preprocessing.yunet import YuNet

DETECTORS: dict[str, type[MTCNN] | type[YuNet]] = {own.name: own for own in (MTCNN, YuNet)}
"""Those of this package, by the name that commands know them by."""

__all__ = [
    "DETECTORS",
    "MTCNN",
    "Alignment",
    "Detection",
    "Detector",
    "FaceAligner",
    "YuNet",
    "align_folder",
]
