"""Softmax over identities whose target logits are given, in little more memory than one matrix.

The usual way makes a normalised copy of all weights ``(C, D)`` and several ``(B, C)`` tensors, each
as large as the logits. Here one ``(B, C)`` tensor is made forward, turned in place from cosines
into probabilities, one backward, and nothing of the weights' size but their gradient.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Reduce = Callable[[Tensor], Tensor]
"""Adds up, or takes the largest of, a tensor over all ranks; without a gradient."""


def log_partition(
    direction: Tensor,
    weight: Tensor,
    column: Tensor,
    target_logit: Tensor,
    scale: Tensor,
    largest: Reduce = lambda value: value,
    total: Reduce = lambda value: value,
    ranks: int = 1,
) -> Tensor:
    """``log( e^{f_y} + Σ_{j≠y} e^{s cos θ_j} )`` of each sample, exact in value and gradient.

    Args:
        direction: ``(B, D)`` float, embeddings of length 1.
        weight: ``(C, D)``, same dtype, identity weights of any length: all of them, or this rank's.
        column: ``(B,)`` int64, the row of ``weight`` that is the sample's own identity, or -1 where
            it lies on another rank.
        target_logit: ``(B,)``, same dtype, f_y.
        scale: ``(B,)``, same dtype, s > 0.
        largest: over the ranks that hold the other weights, the largest of a ``(B,)``.
        total: over these ranks, the sum of a ``(B,)``.
        ranks: how many ranks' losses add up in the gradient of ``weight``, which is divided by it:
            the mean over ranks, as DDP makes it of all other weights.

    Returns:
        ``(B,)``, same dtype. Its gradient reaches ``direction``, ``weight``, ``target_logit`` (that
        of the owning rank) and ``scale``; with weights on several ranks each rank holds the part
        that its own weights make.
    """
    value: Tensor = _LogPartition.apply(
        direction, weight, column, target_logit, scale, largest, total, ranks
    )
    return value


class _LogPartition(torch.autograd.Function):
    """See :func:`log_partition`."""

    @staticmethod
    def forward(
        ctx: Any,
        direction: Tensor,
        weight: Tensor,
        column: Tensor,
        target_logit: Tensor,
        scale: Tensor,
        largest: Reduce,
        total: Reduce,
        ranks: int,
    ) -> Tensor:
        inverse = torch.linalg.vector_norm(weight, dim=1).clamp_min_(1e-12).reciprocal_()
        logits = direction @ weight.t()
        logits.mul_(inverse).mul_(scale.unsqueeze(1))
        place = column.clamp_min(0).unsqueeze(1)
        own = column >= 0
        kept = torch.where(own, target_logit, logits.gather(1, place).squeeze(1))
        logits.scatter_(1, place, kept.unsqueeze(1))
        top = largest(logits.amax(dim=1))
        # e^x overwrites x, then p overwrites e^x
        probability = logits.sub_(top.unsqueeze(1)).exp_()
        partition = total(probability.sum(dim=1))
        probability.div_(partition.unsqueeze(1))
        ctx.ranks = ranks
        ctx.save_for_backward(direction, weight, inverse, place, own, scale, probability)
        return top + partition.log_()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        direction, weight, inverse, place, own, scale, probability = ctx.saved_tensors
        logit = probability * gradient.unsqueeze(1)
        target = torch.where(own, logit.gather(1, place).squeeze(1), 0)
        logit.scatter_add_(1, place, -target.unsqueeze(1))
        needs_scale = ctx.needs_input_grad[4]
        by_scale = _row_cosine_sum(logit, direction, weight, inverse) if needs_scale else None
        cosine = logit.mul_(scale.unsqueeze(1)).mul_(inverse)
        by_direction = cosine @ weight
        by_weight = cosine.t() @ (direction / ctx.ranks)
        # a weight's length does not matter: what points along the weight itself is taken away
        along = torch.einsum("cd,cd->c", by_weight, weight).mul_(inverse.square())
        by_weight.addcmul_(weight, along.unsqueeze(1), value=-1)
        return by_direction, by_weight, None, target, by_scale, None, None, None


def _row_cosine_sum(logit: Tensor, direction: Tensor, weight: Tensor, inverse: Tensor) -> Tensor:
    """``Σ_j g_j cos θ_j`` of each sample, ``(B,)``, without a second ``(B, C)`` tensor."""
    pulled = (logit * inverse) @ weight
    return (pulled * direction).sum(dim=1)
