"""Training heads: margins, the classifier that owns the identity weights, and their loss."""

from lrfr_lightning.heads.adaface import AdaFace
from lrfr_lightning.heads.annealed_sphereface import AnnealedSphereFace
from lrfr_lightning.heads.arcface import ArcFace
from lrfr_lightning.heads.bounded_laplacian_arcface import BoundedLaplacianArcFace
from lrfr_lightning.heads.classifier import CosineClassifier
from lrfr_lightning.heads.cosface import CosFace
from lrfr_lightning.heads.laplacian_arcface import LaplacianArcFace
from lrfr_lightning.heads.magface import MagFace
from lrfr_lightning.heads.margin import Margin
from lrfr_lightning.heads.margin_head import MarginHead
from lrfr_lightning.heads.partial_fc import PartialFC
from lrfr_lightning.heads.resolution_arcface import ResolutionArcFace
from lrfr_lightning.heads.sphereface import SphereFace

__all__ = [
    "AdaFace",
    "AnnealedSphereFace",
    "ArcFace",
    "BoundedLaplacianArcFace",
    "CosFace",
    "CosineClassifier",
    "LaplacianArcFace",
    "MagFace",
    "Margin",
    "MarginHead",
    "PartialFC",
    "ResolutionArcFace",
    "SphereFace",
]
