"""Training heads: margins, the classifier that owns the identity weights, and their loss."""

from lrfr_lightning.heads.arcface import ArcFace
from lrfr_lightning.heads.classifier import CosineClassifier
from lrfr_lightning.heads.cosface import CosFace
from lrfr_lightning.heads.margin import Margin
from lrfr_lightning.heads.margin_head import MarginHead
from lrfr_lightning.heads.sphereface import SphereFace

__all__ = ["ArcFace", "CosFace", "CosineClassifier", "Margin", "MarginHead", "SphereFace"]
