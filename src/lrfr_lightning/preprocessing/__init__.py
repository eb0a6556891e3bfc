"""What happens to a face before it is recognised: alignment, super-resolution."""

from lrfr_lightning.preprocessing.aligner import Alignment, FaceAligner
from lrfr_lightning.preprocessing.checkpoint_resolver import CheckpointResolver
from lrfr_lightning.preprocessing.detector import Detection, Detector
from lrfr_lightning.preprocessing.folder import align_folder
from lrfr_lightning.preprocessing.mtcnn import MTCNN
from lrfr_lightning.preprocessing.onnx_restorer import OnnxRestorer
from lrfr_lightning.preprocessing.resolver_network import ResolverNetwork
from lrfr_lightning.preprocessing.spandrel_restorer import SpandrelRestorer
from lrfr_lightning.preprocessing.super_resolver import Bicubic, SuperResolver
from lrfr_lightning.preprocessing.yunet import YuNet

DETECTORS: dict[str, type[MTCNN] | type[YuNet]] = {own.name: own for own in (MTCNN, YuNet)}
"""Those of this package, by the name that commands know them by."""

__all__ = [
    "DETECTORS",
    "MTCNN",
    "Alignment",
    "Bicubic",
    "CheckpointResolver",
    "Detection",
    "Detector",
    "FaceAligner",
    "OnnxRestorer",
    "ResolverNetwork",
    "SpandrelRestorer",
    "SuperResolver",
    "YuNet",
    "align_folder",
]
