"""What happens to a face before it is recognised."""

from lrfr_lightning.preprocessing.checkpoint_resolver import CheckpointResolver
from lrfr_lightning.preprocessing.onnx_restorer import OnnxRestorer
from lrfr_lightning.preprocessing.resolver_network import ResolverNetwork
from lrfr_lightning.preprocessing.spandrel_restorer import SpandrelRestorer
from lrfr_lightning.preprocessing.super_resolver import Bicubic, SuperResolver

__all__ = [
    "Bicubic",
    "CheckpointResolver",
    "OnnxRestorer",
    "ResolverNetwork",
    "SpandrelRestorer",
    "SuperResolver",
]
