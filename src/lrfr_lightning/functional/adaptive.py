"""Margins that follow the sample: its feature norm, its resolution or its sharpness.

As in ``margins.py`` they make the cosine of the target class smaller, before the scale. The
functions that only turn a quality into an angle leave the rest to
:func:`lrfr_lightning.functional.margins.arcface`.
"""

import math

import torch
from torch import Tensor

from lrfr_lightning.functional.margins import sine

ANGLE_EPSILON = 1e-3
"""AdaFace keeps its angle so far from 0 and π, rad."""
FLATTEST = 0.1
"""A lower sharpness counts as this one, grey levels; a face from 7 px has about 1."""


def adaface(cosine: Tensor, quality: Tensor, margin: float) -> Tensor:
    """AdaFace (Kim et al., 2204.00964, CVPR 2022, eq. 9-11).

    ``cos(clip(θ + g_angle, ε, π - ε)) - g_add`` with ``g_angle = -m·ẑ`` and ``g_add = m + m·ẑ``.
    At ẑ = -1 it is ArcFace, at 0 CosFace, at 1 an easier angle and twice the additive margin.

    Args:
        cosine: ``(B,)`` float, target cosines, -1..1.
        quality: ẑ, ``(B,)``, -1..1, without gradient.
        margin: m.

    Returns:
        ``(B,)``, finite with finite gradients for every θ in 0..π; 0 where the clip holds.
    """
    # atan2 rather than acos: its gradient stays finite at θ = 0 and π
    angle = torch.atan2(sine(cosine), cosine) - margin * quality
    return angle.clamp(ANGLE_EPSILON, math.pi - ANGLE_EPSILON).cos() - margin * (1 + quality)


def magface_margin(
    norm: Tensor, lower_norm: float, upper_norm: float, lower_margin: float, upper_margin: float
) -> Tensor:
    """MagFace (Meng et al., 2103.06627, CVPR 2021): a longer feature gets a larger margin.

    ``m(a) = l_m + (u_m - l_m) · (a - l_a) / (u_a - l_a)`` with ``a = clip(|x|, l_a, u_a)``.

    Args:
        norm: |x|, ``(B,)``; the gradient flows through it, and is 0 outside the range.
        lower_norm: l_a.
        upper_norm: u_a.
        lower_margin: l_m in radians.
        upper_margin: u_m in radians.

    Returns:
        ``(B,)``, radians, l_m..u_m.
    """
    slope = (upper_margin - lower_margin) / (upper_norm - lower_norm)
    return lower_margin + slope * (norm.clamp(lower_norm, upper_norm) - lower_norm)


def magface_regulariser(norm: Tensor, lower_norm: float, upper_norm: float) -> Tensor:
    """What rewards long features (MagFace, 2103.06627): ``g(a) = a / u_a² + 1 / a``.

    Args:
        norm: |x|, ``(B,)``; ``a = clip(|x|, l_a, u_a)``.
        lower_norm: l_a.
        upper_norm: u_a, where g is smallest.

    Returns:
        ``(B,)``, > 0.
    """
    magnitude = norm.clamp(lower_norm, upper_norm)
    return magnitude / upper_norm**2 + 1 / magnitude


def laplacian_margin(sharpness: Tensor, max_margin: float) -> Tensor:
    """Approach 2 of the slides: ``m = 1 / q``, at most ``max_margin``.

    Args:
        sharpness: q, ``(B,)``, ≥ 0, average Laplacian in grey levels of the 0..255 image.
        max_margin: what a flat image (q = 0) gets, radians.

    Returns:
        ``(B,)``, radians, finite.
    """
    return sharpness.reciprocal().clamp(max=max_margin)


def log_sharpness(sharpness: Tensor) -> Tensor:
    """``log q`` with q at least ``FLATTEST``, so that a flat image stays finite; ``(B,)``."""
    return sharpness.clamp_min(FLATTEST).log()


def bounded_margin(quality: Tensor, lower_margin: float, upper_margin: float) -> Tensor:
    """``m = (upper + lower) / 2 - q̂ · (upper - lower) / 2``: a low quality, a large margin.

    Args:
        quality: q̂, ``(B,)``, -1..1.
        lower_margin: at q̂ = 1, radians.
        upper_margin: at q̂ = -1, radians.

    Returns:
        ``(B,)``, radians.
    """
    return (upper_margin + lower_margin) / 2 - quality * (upper_margin - lower_margin) / 2
