"""Every margin for one sample at a time, written from its paper; and the list of all of them.

The formulas share nothing with the library: angles come as numbers, sums are loops. The running
statistics and the step are set where they matter: half of the norms below lie beyond a clip.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from lrfr_lightning.heads import (
    AdaFace,
    AnnealedSphereFace,
    ArcFace,
    BoundedLaplacianArcFace,
    CosFace,
    LaplacianArcFace,
    MagFace,
    Margin,
    ResolutionArcFace,
    SphereFace,
)

QUALITIES = {"resolution": [112, 56, 14, 7], "sharpness": [0.0, 0.3, 1.3, 2.317, 5.9, 15.721]}
"""What a batch may hold under a margin's ``quality_key``, at its extremes too."""


def clip(value, low, high):
    return min(max(value, low), high)


def cosface(theta, norm, quality):
    return math.cos(theta) - 0.35


def arcface_by(theta, m):
    if theta <= math.pi - m:
        return math.cos(theta + m)
    return math.cos(theta) - m * math.sin(m)


def arcface(theta, norm, quality):
    return arcface_by(theta, 0.5)


def phi(theta, m):
    for k in range(10):
        if k * math.pi / m <= theta <= (k + 1) * math.pi / m:
            return (-1) ** k * math.cos(m * theta) - 2 * k
    raise AssertionError(theta)


def sphereface(theta, norm, quality):
    return phi(theta, 1.7)


def annealed(step):
    softness = max(5.0, 1000 * (1 + 0.12 * step) ** -1)
    return lambda theta, norm, quality: (
        (softness * math.cos(theta) + phi(theta, 4)) / (1 + softness)
    )


def adaface(theta, norm, quality):
    z = clip(norm, 1e-3, 100)
    z_hat = clip(0.333 * (z - 30) / (20 + 1e-3), -1, 1)
    g_angle, g_add = -0.4 * z_hat, 0.4 + 0.4 * z_hat
    return math.cos(clip(theta + g_angle, 1e-3, math.pi - 1e-3)) - g_add


def magface(theta, norm, quality):
    a = clip(norm, 10, 110)
    return arcface_by(theta, 0.45 + (0.8 - 0.45) / (110 - 10) * (a - 10))


def magface_regulariser(norm):
    a = clip(norm, 10, 110)
    return 35 * (a / 110**2 + 1 / a)


def by_resolution(theta, norm, quality):
    return arcface_by(theta, 0.35 if quality == 112 else 0.5)


def by_laplacian(theta, norm, quality):
    return arcface_by(theta, math.pi / 2 if quality == 0 else min(1 / quality, math.pi / 2))


def by_bounded_laplacian(theta, norm, quality):
    q_hat = clip(0.333 * (math.log(max(quality, 0.1)) - 1.3) / (0.3 + 1e-3), -1, 1)
    return arcface_by(theta, 0.425 - q_hat * 0.075)


@dataclass(frozen=True)
class Paper:
    """What the paper says a sample's loss is made of, in plain numbers."""

    target: Callable[[float, float, float], float]
    scale: Callable[[float], float] = lambda norm: 64.0
    regulariser: Callable[[float], float] = lambda norm: 0.0

    def loss(self, cosines, label, norm, quality):
        """Softmax over all identities, ``cosines`` of one sample with each."""
        logits = [self.scale(norm) * cosine for cosine in cosines]
        theta = math.acos(clip(cosines[label], -1, 1))
        logits[label] = self.scale(norm) * self.target(theta, norm, quality)
        highest = max(logits)
        total = sum(math.exp(logit - highest) for logit in logits)
        return math.log(total) - (logits[label] - highest) + self.regulariser(norm)


def at(margin: Margin, **buffers: float) -> Margin:
    """The margin with its buffers set."""
    for name, buffer in margin.named_buffers():
        buffer.fill_(buffers[name.rpartition(".")[2]])
    return margin


def _case(name, margin, target, *others):
    return pytest.param(margin, Paper(target, *others), id=name)


def own_norm(norm):
    return norm


def constant(scale):
    return lambda norm: scale


def _angular(suffix, **gradient):
    """The ArcFace family, all of which have the argument ``gradient``."""
    bounded = at(BoundedLaplacianArcFace(**gradient), mean=1.3, std=0.3)
    magnitude = (constant(64.0), magface_regulariser)
    return [
        _case("arcface" + suffix, ArcFace(**gradient), arcface),
        _case("magface" + suffix, MagFace(**gradient), magface, *magnitude),
        _case("resolution" + suffix, ResolutionArcFace(**gradient), by_resolution),
        _case("laplacian" + suffix, LaplacianArcFace(**gradient), by_laplacian),
        _case("bounded" + suffix, bounded, by_bounded_laplacian),
    ]


EXACT = [
    _case("cosface", CosFace(), cosface),
    _case("sphereface", SphereFace(), sphereface, constant(30.0)),
    _case("annealed-first", AnnealedSphereFace(), annealed(0), own_norm),
    _case("annealed-40", at(AnnealedSphereFace(), step=40), annealed(40), own_norm),
    _case("annealed-late", at(AnnealedSphereFace(), step=9999), annealed(9999), own_norm),
    _case("adaface", at(AdaFace(), mean=30, std=20), adaface),
    *_angular(""),
]
"""(margin, paper) of every margin whose gradient is that of its formula."""
EVERY_MARGIN = [*EXACT, *_angular("-detached", gradient="detached")]
"""(margin, paper) of every margin."""


def quality_of_some(margin: Margin, count: int, dtype=torch.float32) -> torch.Tensor | None:
    """``(count,)`` values that the margin may find in a batch; None if it asks for none."""
    if margin.quality_key is None:
        return None
    return torch.from_numpy(np.resize(QUALITIES[margin.quality_key], count)).to(dtype)
