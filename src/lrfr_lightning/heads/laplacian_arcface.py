"""Approach 2 of the slides: a margin of one over the average Laplacian."""

import math

from torch import Tensor

from lrfr_lightning.functional.adaptive import laplacian_margin
from lrfr_lightning.functional.margins import Gradient, arcface, check_angle
from lrfr_lightning.heads.margin import Margin


class LaplacianArcFace(Margin):
    """``s · cos(θ_y + 1/q)``, q the sharpness of the image (the slides' Approach 2).

    A sharp face of q = 15.7 grey levels gets 0.064 rad, its 16 px copy of q = 2.3 gets 0.43.

    Args:
        max_margin: bound of 1/q in radians, 0..π/2; what a flat image (q = 0) gets. At π/2, the
            default, it holds for q < 0.64 only, flatter than any face from 6 px.
        scale: s > 0.
        gradient: of the margin with respect to the cosine, see
            :func:`lrfr_lightning.functional.margins.arcface`.

    Raises:
        ConfigError: an argument out of range.
    """

    quality_key = "sharpness"

    def __init__(
        self,
        max_margin: float = math.pi / 2,
        scale: float = 64.0,
        gradient: Gradient = "exact",
    ) -> None:
        super().__init__(scale)
        check_angle("LaplacianArcFace max_margin", max_margin)
        self.max_margin = max_margin
        self.gradient = gradient

    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """``cos(θ + 1/q)``; ``quality`` is q in grey levels, ``norm`` is not looked at."""
        assert quality is not None, "MarginHead has checked it"
        return arcface(cosine, laplacian_margin(quality, self.max_margin), self.gradient)
