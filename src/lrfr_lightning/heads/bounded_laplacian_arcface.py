"""A margin by sharpness that stays where ArcFace works well."""

from torch import Tensor

from lrfr_lightning.functional.adaptive import bounded_margin, log_sharpness
from lrfr_lightning.functional.margins import Gradient, arcface, check_angle
from lrfr_lightning.heads.margin import Margin
from lrfr_lightning.heads.running_statistics import RunningStatistics
from lrfr_lightning.utils.errors import ConfigError


class BoundedLaplacianArcFace(Margin):
    """``s · cos(θ_y + m)``, m between two bounds by the sharpness q of the image.

    The step after the slides' Approach 2 (ours): ``m = middle - q̂ · half_range`` with
    ``q̂ = clip(h(log q - μ) / (σ + 1e-3), -1, 1)``, μ and σ running statistics of ``log q`` as
    AdaFace has them of the norm. A flat image counts as q = 0.1. The larger ``h``, the more of the
    range is used: with 0.333 a face one σ away from μ moves the margin by a third of the half.

    Args:
        lower_margin: m of the sharpest faces, radians, 0..π/2.
        upper_margin: m of the flattest, radians, lower_margin..π/2.
        h: how much of -1..1 one standard deviation of ``log q`` covers.
        t_alpha: share of a new batch in the running statistics.
        sync: statistics over the batches of all DDP ranks.
        scale: s > 0.
        gradient: of the margin with respect to the cosine, see
            :func:`lrfr_lightning.functional.margins.arcface`.

    Attributes:
        statistics: μ and σ of ``log q``; at the start 1.3 and 0.8, those of photographs of which
            half come from 6..32 px.

    Raises:
        ConfigError: an argument out of range.
    """

    quality_key = "sharpness"

    def __init__(
        self,
        lower_margin: float = 0.35,
        upper_margin: float = 0.5,
        h: float = 0.333,
        t_alpha: float = 0.01,
        sync: bool = True,
        scale: float = 64.0,
        gradient: Gradient = "exact",
    ) -> None:
        super().__init__(scale)
        check_angle("BoundedLaplacianArcFace lower_margin", lower_margin)
        check_angle("BoundedLaplacianArcFace upper_margin", upper_margin)
        if lower_margin > upper_margin:
            raise ConfigError(
                "BoundedLaplacianArcFace margins: expected lower ≤ upper, got "
                f"{lower_margin} and {upper_margin}; blurred faces get the larger margin"
            )
        self.lower_margin, self.upper_margin = lower_margin, upper_margin
        self.gradient = gradient
        self.statistics = RunningStatistics(1.3, 0.8, h, t_alpha, sync)

    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """``cos(θ + m)``; ``quality`` is q in grey levels, ``norm`` is not looked at."""
        assert quality is not None, "MarginHead has checked it"
        standardised = self.statistics(log_sharpness(quality))
        margin = bounded_margin(standardised, self.lower_margin, self.upper_margin)
        return arcface(cosine, margin, self.gradient)
