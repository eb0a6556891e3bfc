"""Octuplet loss: triplets within and across two resolutions.

Knoche et al., 2207.06726, FG 2023. Embeddings are brought to unit length here, since faces are
compared by cosine; the authors' code leaves that to the network.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

Metric = Literal["euclidean", "squared", "cosine"]
"""Distance of unit vectors: ``|a - b|``, 0..2; ``|a - b|²``, 0..4; ``1 - cos``, 0..2."""


def octuplet(
    high: Tensor, low: Tensor, label: Tensor, margin: float = 0.5, metric: Metric = "euclidean"
) -> Tensor:
    """``T(HR, HR) + T(HR, LR) + T(LR, HR) + T(LR, LR)``.

    ``T(anchors, candidates)`` is :func:`triplet`. Triplets are sought among the images given:
    several images of each identity are needed (P identities x K images), and of several ranks each
    seeks in its own batch.

    Args:
        high: ``(B, D)`` float of any precision, embeddings at high resolution, any length.
        low: ``(B, D)``, the same images at low resolution.
        label: ``(B,)`` int64, identity, or -1: the image is ignored.
        margin: what a negative must be farther away than a positive, in units of ``metric``.
        metric: of the distances.

    Returns:
        Scalar float32, under any autocast (float64 if the embeddings are), ≥ 0. Without a valid
        anchor it is 0 and its gradient is 0.
    """
    dtype = torch.promote_types(high.dtype, torch.float32)
    with torch.autocast(high.device.type, enabled=False):
        high, low = normalize(high.to(dtype)), normalize(low.to(dtype))
        return (
            triplet(high, high, label, margin, metric)
            + triplet(high, low, label, margin, metric)
            + triplet(low, high, label, margin, metric)
            + triplet(low, low, label, margin, metric)
        )


def triplet(
    anchor: Tensor, candidate: Tensor, label: Tensor, margin: float, metric: Metric
) -> Tensor:
    """Batch-hard triplet loss, mean over anchors of ``max(0, d(a, p) - d(a, n) + margin)``.

    p is the farthest candidate of the anchor's identity and n the nearest of another one. Row i of
    both tensors is the same image, hence never its own positive, at whatever resolution. An anchor
    without a positive or without a negative does not count.

    Args:
        anchor: ``(B, D)`` float, unit length.
        candidate: ``(B, D)``, unit length.
        label: ``(B,)`` int64, or -1: neither anchor nor candidate.
        margin: in units of ``metric``.
        metric: of the distances.

    Returns:
        Scalar, ≥ 0; 0, with a graph, if no anchor counts.
    """
    same = label.unsqueeze(1) == label
    positive = same & ~torch.eye(len(label), dtype=torch.bool, device=label.device)
    negative = ~same & (label >= 0)
    # all three metrics order unit vectors as the cosine does
    cosine = anchor.detach() @ candidate.detach().T
    farthest = candidate[cosine.masked_fill(~positive, torch.inf).argmin(dim=1)]
    nearest = candidate[cosine.masked_fill(~negative, -torch.inf).argmax(dim=1)]
    loss = distance(anchor, farthest, metric) - distance(anchor, nearest, metric) + margin
    counts = positive.any(dim=1) & negative.any(dim=1) & (label >= 0)
    return loss[counts].relu().sum() / counts.sum().clamp(min=1)


def distance(first: Tensor, second: Tensor, metric: Metric) -> Tensor:
    """Distance of each row of ``first`` from the same row of ``second``.

    Args:
        first: ``(B, D)`` float, unit length.
        second: ``(B, D)``, unit length.
        metric: see :data:`Metric`.

    Returns:
        ``(B,)``, ≥ 0. The gradient of equal rows is 0 for every metric.
    """
    squared = (first - second).square().sum(dim=1)
    if metric == "squared":
        return squared
    if metric == "cosine":
        return squared / 2
    # below tiny the clamp stops the gradient, which would be infinite at 0
    return squared.clamp_min(torch.finfo(squared.dtype).tiny).sqrt()
