"""Networks that map normalised face images to embeddings."""

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.cpu import fuse_prelu
from lrfr_lightning.backbones.iresnet import IResNet
from lrfr_lightning.backbones.mobilefacenet import MobileFaceNet
from lrfr_lightning.backbones.timm_adapter import TimmBackbone
from lrfr_lightning.backbones.weights import load_weights

__all__ = [
    "Backbone",
    "IResNet",
    "MobileFaceNet",
    "TimmBackbone",
    "fuse_prelu",
    "load_weights",
]
