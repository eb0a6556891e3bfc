"""AdaFace: a margin whose kind follows the feature norm."""

from torch import Tensor

from lrfr_lightning.functional.adaptive import adaface
from lrfr_lightning.functional.margins import check_angle
from lrfr_lightning.heads.margin import Margin
from lrfr_lightning.heads.running_statistics import RunningStatistics


class AdaFace(Margin):
    """``s · (cos(clip(θ_y - m·ẑ, ε, π - ε)) - m - m·ẑ)`` (Kim et al., 2204.00964, CVPR 2022).

    ``ẑ = clip(h(z - μ) / (σ + 1e-3), -1, 1)``, z the feature norm clipped to 1e-3..100, without
    gradient; μ and σ are running statistics of z, updated before they are used.

    Args:
        margin: m in radians, 0..π/2.
        h: how much of -1..1 one standard deviation of the norm covers.
        scale: s > 0.
        t_alpha: share of a new batch in the running statistics.
        sync: statistics over the batches of all DDP ranks.

    Attributes:
        statistics: μ and σ of the norm, 20 and 100 at the start.

    Raises:
        ConfigError: an argument out of range.
    """

    def __init__(
        self,
        margin: float = 0.4,
        h: float = 0.333,
        scale: float = 64.0,
        t_alpha: float = 0.01,
        sync: bool = True,
    ) -> None:
        super().__init__(scale)
        check_angle("AdaFace margin", margin)
        self.margin = margin
        self.statistics = RunningStatistics(20.0, 100.0, h, t_alpha, sync)

    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """The target cosine after the margin; ``quality`` is not looked at."""
        return adaface(cosine, self.statistics(norm.detach().clamp(1e-3, 100)), self.margin)
