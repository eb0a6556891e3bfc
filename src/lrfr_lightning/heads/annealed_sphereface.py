"""SphereFace as it was first published: features keep their norm, the margin is eased in."""

import torch
from torch import Tensor

from lrfr_lightning.functional.margins import annealed_sphereface, check_multiplier
from lrfr_lightning.heads.margin import Margin
from lrfr_lightning.utils.errors import ConfigError


class AnnealedSphereFace(Margin):
    """``|x| · (λ cos θ_y + φ(θ_y)) / (1 + λ)`` (Liu et al., 1704.08063, CVPR 2017).

    φ is the monotonic form of ``cos(mθ)``, the other logits are ``|x| · cos θ_j``, and
    ``λ = max(5, 1000 / (1 + 0.12 · step))`` falls as training goes on.

    Args:
        margin: m > 1, the factor on the angle.
        start: λ at the first step, ≥ ``lowest``.
        decay: how fast λ falls, 1 / step.
        lowest: λ at the end, ≥ 0.

    Attributes:
        step: buffer, int64, how many batches it was trained on, whatever their accumulation.

    Raises:
        ConfigError: an argument out of range.
    """

    step: Tensor

    def __init__(
        self,
        margin: float = 4.0,
        start: float = 1000.0,
        decay: float = 0.12,
        lowest: float = 5.0,
    ) -> None:
        super().__init__(scale=1.0)
        check_multiplier(margin)
        if not (start >= lowest >= 0 and decay >= 0):
            raise ConfigError(
                "AnnealedSphereFace: expected start ≥ lowest ≥ 0 and decay ≥ 0, "
                f"got start={start}, lowest={lowest}, decay={decay}"
            )
        self.margin = margin
        self.start, self.decay, self.lowest = start, decay, lowest
        self.register_buffer("step", torch.tensor(0))

    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """``(λ cos θ + φ(θ)) / (1 + λ)`` at this step; ``quality`` is not looked at."""
        slowing = 1 + self.decay * self.step.to(cosine.dtype)
        softness = (self.start / slowing).clamp_min(self.lowest)
        if self.training:
            self.step += 1
        return annealed_sphereface(cosine, self.margin, softness)

    def logit_scale(self, norm: Tensor) -> Tensor:
        """The feature norm itself, ``(B,)``."""
        return norm
