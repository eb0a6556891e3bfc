"""CosFace: a constant taken off the cosine."""

from torch import Tensor

from lrfr_lightning.functional.margins import cosface
from lrfr_lightning.heads.margin import Margin
from lrfr_lightning.utils.errors import ConfigError


class CosFace(Margin):
    """``s · (cos θ_y - m)`` (Wang et al., 1801.09414, CVPR 2018).

    Args:
        margin: m ≥ 0; the paper uses 0.35 to 0.4.
        scale: s > 0; the paper uses 64, 30 suits small sets.

    Raises:
        ConfigError: m < 0 or s ≤ 0.
    """

    def __init__(self, margin: float = 0.35, scale: float = 64.0) -> None:
        super().__init__(scale)
        if not margin >= 0:
            raise ConfigError(f"CosFace margin: expected m ≥ 0, got {margin}")
        self.margin = margin

    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """``cos θ - m``; ``norm`` and ``quality`` are not looked at."""
        return cosface(cosine, self.margin)
