"""Angular margins on the cosine of the target class, before the scale.

All take ``cos θ`` between an embedding and the weight of *its own* class, one number per
sample, and make it smaller, so that training has to earn it back. The other classes' cosines are
never touched, hence never needed here.
"""

import math
from typing import Literal

import torch
from torch import Tensor

from lrfr_lightning.utils.errors import ConfigError

Gradient = Literal["exact", "detached"]
"""Of an angular margin with respect to the cosine, see :func:`arcface`."""


def cosface(cosine: Tensor, margin: float | Tensor) -> Tensor:
    """CosFace (Wang et al., 1801.09414, CVPR 2018): ``cos θ - m``.

    Args:
        cosine: ``(B,)`` float, target cosines, -1..1.
        margin: m ≥ 0, a number or one per sample ``(B,)``; the paper's range is 0..0.4.

    Returns:
        ``(B,)``, the dtype of ``cosine``.
    """
    return cosine - margin


def arcface(cosine: Tensor, margin: float | Tensor, gradient: Gradient = "exact") -> Tensor:
    """ArcFace (Deng et al., 1801.07698, CVPR 2019): ``cos(θ + m)``.

    Computed as ``cos θ · cos m - sin θ · sin m``. Beyond ``θ > π - m``, where ``cos(θ + m)`` would
    rise again, it becomes ``cos θ - m · sin m``, which keeps falling; at the seam the value steps
    down from -1 to ``-cos m - m · sin m``.

    Args:
        cosine: ``(B,)`` float, target cosines, -1..1 (rounding beyond is harmless).
        margin: m in radians, 0..π/2, a number or one per sample ``(B,)``.
        gradient: ``"exact"`` has d/dcos θ = ``sin(θ + m) / sin θ``, which grows without bound
            towards θ = 0 (exactly there: ``cos m``). ``"detached"`` has the same value and
            d/dcos θ = 1, the safe one in fp16. A margin tensor gets its own gradient in both.

    Returns:
        ``(B,)``, the dtype of ``cosine``, finite with finite gradients for every θ in 0..π.
    """
    if gradient == "detached":
        fixed = cosine.detach()
        # the bracket is 0 in value and 1 in gradient
        return arcface(fixed, margin) + (cosine - fixed)
    if isinstance(margin, Tensor):
        cos_m, sin_m = margin.cos(), margin.sin()
        added = cosine * cos_m - sine(cosine) * sin_m
        return torch.where(cosine > -cos_m, added, cosine - margin * sin_m)
    cos, sin = math.cos(margin), math.sin(margin)
    added = cosine * cos - sine(cosine) * sin
    return torch.where(cosine > -cos, added, cosine - margin * sin)


def sphereface(cosine: Tensor, multiplier: float) -> Tensor:
    """SphereFace (Liu et al., 1704.08063, CVPR 2017; SphereFace-R, 2109.05565, TPAMI 2022).

    ``φ(θ) = (-1)^k · cos(mθ) - 2k`` with ``k = floor(mθ / π)``: ``cos(mθ)`` made monotonic.

    Args:
        cosine: ``(B,)`` float, target cosines, -1..1.
        multiplier: m > 1, the factor on the angle; 4 in the first paper, 1.7 with normalised
            features.

    Returns:
        ``(B,)``, the dtype of ``cosine``, continuous and falling in θ from 1 at θ = 0.

    Raises:
        ConfigError: m ≤ 1.
    """
    check_multiplier(multiplier)
    # atan2 rather than acos: its gradient stays finite at θ = 0 and π
    angle = multiplier * torch.atan2(sine(cosine), cosine)
    k = torch.floor(angle / math.pi)
    sign = 1 - 2 * (k % 2)
    return sign * torch.cos(angle) - 2 * k


def annealed_sphereface(cosine: Tensor, multiplier: float, softness: Tensor) -> Tensor:
    """SphereFace as it was first trained (1704.08063): ``(λ cos θ + φ(θ)) / (1 + λ)``.

    Args:
        cosine: ``(B,)`` float, target cosines, -1..1.
        multiplier: m > 1 of φ, see :func:`sphereface`; the paper uses 4.
        softness: λ ≥ 0, scalar; large: no margin yet, 0: φ alone.

    Returns:
        ``(B,)``, the dtype of ``cosine``.

    Raises:
        ConfigError: m ≤ 1.
    """
    return (softness * cosine + sphereface(cosine, multiplier)) / (1 + softness)


def check_angle(what: str, margin: float) -> None:
    """Refuse an angle that ArcFace cannot add; ``what`` names it in the error.

    Raises:
        ConfigError: not in 0..π/2.
    """
    if not 0 <= margin <= math.pi / 2:
        raise ConfigError(f"{what}: expected radians in 0..π/2, got {margin}")


def check_multiplier(multiplier: float) -> None:
    """Refuse a SphereFace multiplier that would make the task easier than plain softmax.

    Raises:
        ConfigError: m ≤ 1.
    """
    if not multiplier > 1:
        raise ConfigError(
            f"SphereFace margin: expected m > 1, got {multiplier}; m is a multiplier of the angle "
            "(1.7 with normalised features), not an angle to add: m ≤ 1 is easier than softmax"
        )


def sine(cosine: Tensor) -> Tensor:
    """``sin θ = sqrt((1 - cos θ)(1 + cos θ))``, with a zero gradient where it vanishes.

    The product keeps full precision near θ = 0 and π, which ``1 - cos²θ`` does not.
    """
    squared = (1 - cosine) * (1 + cosine)
    return squared.clamp_min(torch.finfo(cosine.dtype).tiny).sqrt()
