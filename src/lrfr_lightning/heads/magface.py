"""MagFace: the feature norm learns to be the quality."""

from torch import Tensor

from lrfr_lightning.functional.adaptive import magface_margin, magface_regulariser
from lrfr_lightning.functional.margins import Gradient, arcface, check_angle
from lrfr_lightning.heads.margin import Margin
from lrfr_lightning.utils.errors import ConfigError


class MagFace(Margin):
    """``s · cos(θ_y + m(a))`` plus ``λ · g(a)`` (Meng et al., 2103.06627, CVPR 2021).

    ``a = clip(|x|, l_a, u_a)`` with its gradient, ``m(a)`` linear from l_m to u_m and
    ``g(a) = a / u_a² + 1 / a``, which rewards long features. The names of the paper's code in
    brackets.

    Args:
        lower_norm: l_a > 0.
        upper_norm: u_a > l_a.
        lower_margin: l_m in radians, 0..π/2, of features of length l_a.
        upper_margin: u_m in radians, l_m..π/2, of features of length u_a.
        regulariser_weight: λ ≥ 0 (lambda_g).
        scale: s > 0.
        gradient: of the margin with respect to the cosine, see
            :func:`lrfr_lightning.functional.margins.arcface`.

    Raises:
        ConfigError: an argument out of range.
    """

    def __init__(
        self,
        lower_norm: float = 10.0,
        upper_norm: float = 110.0,
        lower_margin: float = 0.45,
        upper_margin: float = 0.8,
        regulariser_weight: float = 35.0,
        scale: float = 64.0,
        gradient: Gradient = "exact",
    ) -> None:
        super().__init__(scale)
        if not 0 < lower_norm < upper_norm:
            raise ConfigError(
                f"MagFace norms: expected 0 < lower < upper, got {lower_norm} and {upper_norm}"
            )
        check_angle("MagFace lower_margin", lower_margin)
        check_angle("MagFace upper_margin", upper_margin)
        if lower_margin > upper_margin:
            raise ConfigError(
                f"MagFace margins: expected lower ≤ upper, got {lower_margin} and {upper_margin}; "
                "longer features get the larger margin"
            )
        if not regulariser_weight >= 0:
            raise ConfigError(f"MagFace regulariser_weight: expected ≥ 0, got {regulariser_weight}")
        self.lower_norm, self.upper_norm = lower_norm, upper_norm
        self.lower_margin, self.upper_margin = lower_margin, upper_margin
        self.regulariser_weight = regulariser_weight
        self.gradient = gradient

    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """``cos(θ + m(|x|))``; ``quality`` is not looked at."""
        margin = magface_margin(
            norm, self.lower_norm, self.upper_norm, self.lower_margin, self.upper_margin
        )
        return arcface(cosine, margin, self.gradient)

    def regulariser(self, norm: Tensor) -> Tensor:
        """``λ · g(|x|)``, ``(B,)``."""
        return self.regulariser_weight * magface_regulariser(norm, self.lower_norm, self.upper_norm)
