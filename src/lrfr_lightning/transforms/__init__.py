"""Image → training view: augmentation, degradation to a resolution, network input."""

from lrfr_lightning.functional.resize import Kernel
from lrfr_lightning.transforms.cross_resolution import (
    CrossResolution,
    Listed,
    LogUniform,
    Uniform,
)
from lrfr_lightning.transforms.pixel_spec import PixelSpec

__all__ = ["CrossResolution", "Kernel", "Listed", "LogUniform", "PixelSpec", "Uniform"]
