"""SphereFace: the angle multiplied."""

from torch import Tensor

from lrfr_lightning.functional.margins import check_multiplier, sphereface
from lrfr_lightning.heads.margin import Margin


class SphereFace(Margin):
    """``s · φ(θ_y)``, φ the monotonic form of ``cos(mθ)``, features normalised.

    Liu et al., 1704.08063, CVPR 2017; normalised as in SphereFace-R, 2109.05565, TPAMI 2022.

    Args:
        margin: m > 1, the factor on the angle.
        scale: s > 0.

    Raises:
        ConfigError: m ≤ 1 or s ≤ 0.
    """

    def __init__(self, margin: float = 1.7, scale: float = 30.0) -> None:
        super().__init__(scale)
        check_multiplier(margin)
        self.margin = margin

    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """``φ(θ)``; ``norm`` and ``quality`` are not looked at."""
        return sphereface(cosine, self.margin)
