"""Approach 1 of the slides: a larger margin for degraded faces."""

import torch
from torch import Tensor

from lrfr_lightning.functional.margins import Gradient, arcface, check_angle
from lrfr_lightning.heads.margin import Margin
from lrfr_lightning.utils.errors import ConfigError


class ResolutionArcFace(Margin):
    """``s · cos(θ_y + m)``, m by whether the sample was downsampled (the slides' Approach 1).

    Args:
        margin: m of a sample at full resolution, radians, 0..π/2.
        degraded_margin: m of a sample below it, radians, 0..π/2.
        full_resolution: side that counts as full, px.
        scale: s > 0.
        gradient: of the margin with respect to the cosine, see
            :func:`lrfr_lightning.functional.margins.arcface`.

    Raises:
        ConfigError: an argument out of range.
    """

    quality_key = "resolution"

    def __init__(
        self,
        margin: float = 0.35,
        degraded_margin: float = 0.5,
        full_resolution: int = 112,
        scale: float = 64.0,
        gradient: Gradient = "exact",
    ) -> None:
        super().__init__(scale)
        check_angle("ResolutionArcFace margin", margin)
        check_angle("ResolutionArcFace degraded_margin", degraded_margin)
        if full_resolution < 1:
            raise ConfigError(
                "ResolutionArcFace full_resolution: expected the side of an image in px, "
                f"got {full_resolution}"
            )
        self.margin, self.degraded_margin = margin, degraded_margin
        self.full_resolution = full_resolution
        self.gradient = gradient

    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """``cos(θ + m)``; ``quality`` is the resolution in px, ``norm`` is not looked at."""
        assert quality is not None, "MarginHead has checked it"
        degraded = quality < self.full_resolution
        margin = torch.full_like(cosine, self.margin).masked_fill(degraded, self.degraded_margin)
        return arcface(cosine, margin, self.gradient)
