"""Softmax over identities whose target logits are given, in little more memory than one matrix.

The usual way makes a normalised copy of all weights ``(C, D)`` and several ``(B, C)`` tensors, each
as large as the logits, and walks through each of them once per operation. Here the identities are
taken in blocks that stay in the cache from the matrix product to the exponential: what remains is
one ``(B, C)`` of exponentials, or none, and the gradient of the weights, written once.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import logsigmoid

Reduce = Callable[[Tensor], Tensor]
"""Adds up, or takes the largest of, a tensor over all ranks; without a gradient."""

_BLOCK = {"cpu": 2**11}
"""Identities at once: on a CPU so few that a block stays in its cache."""
_LARGE_BLOCK = 2**16


def compare(
    direction: Tensor,
    weight: Tensor,
    column: Tensor,
    scale: Tensor,
    largest: Reduce = lambda value: value,
    total: Reduce = lambda value: value,
    ranks: int = 1,
    recompute: bool = False,
) -> tuple[Tensor, Tensor]:
    """``cos θ_y`` and ``log Σ_{j≠y} e^{s cos θ_j}`` of each sample, exact in value and gradient.

    Args:
        direction: ``(B, D)`` float, embeddings of length 1.
        weight: ``(C, D)``, same dtype, identity weights of any length: all of them, or this rank's.
        column: ``(B,)`` int64, the row of ``weight`` that is the sample's own identity, or -1 where
            it lies on another rank.
        scale: ``(B,)``, same dtype, s ≥ 0.
        largest: over the ranks that hold the other weights, the largest of a ``(B,)``.
        total: over these ranks, the sum of a ``(B,)``.
        ranks: how many ranks' losses add up in the gradient of ``weight``, which is divided by it:
            the mean over ranks, as DDP makes it of all other weights.
        recompute: make the logits once more for the gradient instead of keeping ``(B, C)``
            exponentials: a fourth matrix product, for memory that does not grow with B · C.

    Returns:
        Two ``(B,)``, same dtype: the target cosine, 0 where column is -1, and the others' sum, the
        lowest number of the dtype where there are no others. Their gradients reach ``direction``,
        ``weight`` and ``scale``; with weights on several ranks each rank holds the part that its
        own weights make.
    """
    cosine, others = _Compare.apply(
        direction, weight, column, scale, largest, total, ranks, recompute
    )
    return cosine, others


def softmax_loss(target_logit: Tensor, others: Tensor) -> Tensor:
    """``-log( e^{f_y} / (e^{f_y} + e^{others}) )``.

    Args:
        target_logit: f_y, ``(B,)`` float.
        others: ``(B,)``, same dtype, see :func:`compare`.

    Returns:
        ``(B,)``, ≥ 0, same dtype; a small loss keeps all its digits.
    """
    return -logsigmoid(target_logit - others)


class _Compare(torch.autograd.Function):
    """See :func:`compare`.

    One node for both results, so that the gradient of the weights is one tensor: two that autograd
    adds up would take twice the memory.
    """

    @staticmethod
    def forward(
        ctx: Any,
        direction: Tensor,
        weight: Tensor,
        column: Tensor,
        scale: Tensor,
        largest: Reduce,
        total: Reduce,
        ranks: int,
        recompute: bool,
    ) -> tuple[Tensor, Tensor]:
        inverse = weight.new_empty(len(weight))
        lowest = torch.finfo(weight.dtype).min
        top = torch.full_like(scale, lowest)
        summed = torch.zeros_like(scale)
        scaled = direction * scale.unsqueeze(1)
        kept: list[Tensor] = []
        for block in _blocks(weight):
            _inverse_length(weight[block], out=inverse[block])
            logits = _logits(scaled, weight, inverse, column, block)
            # the largest logit so far: the sum of earlier blocks is corrected by a factor
            higher = torch.maximum(top, logits.amax(dim=1))
            exponential = logits.sub_(higher.unsqueeze(1)).exp_()
            summed = summed * (top - higher).exp() + exponential.sum(dim=1)
            top = higher
            kept += [] if recompute else [exponential, top]
        highest = largest(top)
        partition = total(summed * (top - highest).exp())
        others = (highest + partition.log()).clamp_min_(lowest)
        rows, own = _own_rows(weight, inverse, column)
        ctx.ranks = ranks
        ctx.save_for_backward(direction, weight, column, scale, inverse, others, *kept)
        return (direction * rows).sum(dim=1) * own, others

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_cosine: Tensor, by_others: Tensor) -> tuple[Tensor | None, ...]:
        direction, weight, column, scale, inverse, others, *kept = ctx.saved_tensors
        scaled = direction * scale.unsqueeze(1)
        pulled = torch.zeros_like(direction)
        by_weight = torch.empty_like(weight)
        for number, block in enumerate(_blocks(weight)):
            if kept:
                exponential, top = kept[2 * number : 2 * number + 2]
                by_logit = exponential * (by_others * (top - others).exp()).unsqueeze(1)
            else:
                logits = _logits(scaled, weight, inverse, column, block)
                by_logit = logits.sub_(others.unsqueeze(1)).exp_().mul_(by_others.unsqueeze(1))
            by_logit.mul_(inverse[block])
            pulled.addmm_(by_logit, weight[block])
            torch.mm(by_logit.t(), scaled / ctx.ranks, out=by_weight[block])
            del by_logit
            _leave_tangent(by_weight[block], weight[block], inverse[block])
        by_scale = (pulled * direction).sum(dim=1)
        rows, own = _own_rows(weight, inverse, column)
        factor = (by_cosine * own).unsqueeze(1)
        by_direction = pulled.mul_(scale.unsqueeze(1)).addcmul_(factor, rows)
        along = (direction * rows).sum(dim=1, keepdim=True)
        place = column.clamp_min(0)
        shared = factor * inverse[place].unsqueeze(1) / ctx.ranks
        by_weight.index_add_(0, place, shared * (direction - along * rows))
        return by_direction, by_weight, None, by_scale, None, None, None, None


def _own_rows(weight: Tensor, inverse: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
    """Each sample's own row at length 1, ``(B, D)``, and whether it lies here, ``(B,)`` 0 or 1."""
    place = column.clamp_min(0)
    return weight[place] * inverse[place].unsqueeze(1), (column >= 0).to(weight.dtype)


def _blocks(weight: Tensor) -> Iterator[slice]:
    """The rows of ``weight``, some at a time."""
    size = _BLOCK.get(weight.device.type, _LARGE_BLOCK)
    for start in range(0, len(weight), size):
        yield slice(start, min(start + size, len(weight)))


def _inverse_length(rows: Tensor, out: Tensor) -> None:
    torch.linalg.vector_norm(rows, dim=1, out=out).clamp_min_(1e-12).reciprocal_()


def _logits(
    scaled: Tensor, weight: Tensor, inverse: Tensor, column: Tensor, block: slice
) -> Tensor:
    """``s cos θ_j`` of a block of identities, ``(B, block)``; -inf at the sample's own."""
    logits = (scaled @ weight[block].t()).mul_(inverse[block])
    place = column - block.start
    inside = (place >= 0) & (place < logits.shape[1])
    place = place.clamp(0, logits.shape[1] - 1).unsqueeze(1)
    kept = logits.gather(1, place).masked_fill_(inside.unsqueeze(1), -torch.inf)
    return logits.scatter_(1, place, kept)


def _leave_tangent(gradient: Tensor, rows: Tensor, inverse: Tensor) -> None:
    """Take away what points along the row itself: its length does not matter to a cosine."""
    along = torch.linalg.vecdot(gradient, rows).mul_(inverse.square())
    gradient.addcmul_(rows, along.unsqueeze(1), value=-1)
