"""ArcFace: a constant added to the angle."""

from torch import Tensor

from lrfr_lightning.functional.margins import Gradient, arcface, check_angle
from lrfr_lightning.heads.margin import Margin


class ArcFace(Margin):
    """``s · cos(θ_y + m)`` (Deng et al., 1801.07698, CVPR 2019).

    Args:
        margin: m in radians, 0..π/2; the paper uses 0.5.
        scale: s > 0; the paper uses 64.
        gradient: of the margin with respect to the cosine, see
            :func:`lrfr_lightning.functional.margins.arcface`.

    Raises:
        ConfigError: m outside 0..π/2, s ≤ 0.
    """

    def __init__(
        self,
        margin: float = 0.5,
        scale: float = 64.0,
        gradient: Gradient = "exact",
    ) -> None:
        super().__init__(scale)
        check_angle("ArcFace margin", margin)
        self.margin = margin
        self.gradient = gradient

    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """``cos(θ + m)``; ``norm`` and ``quality`` are not looked at."""
        return arcface(cosine, self.margin, self.gradient)
