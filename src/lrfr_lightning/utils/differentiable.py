"""Collectives that gradients pass through; no-ops in one process.

Every rank has its own loss, and the gradient of a tensor is that of the sum of all ranks' losses.
Every rank has to call them, in the same order, with tensors of one dtype.
"""

from typing import Any

import torch
from torch import Tensor, distributed
from torch.autograd.function import once_differentiable

from lrfr_lightning.utils.distributed import rank_and_world, sum_over_ranks


def join_ranks(value: Tensor, sizes: list[int]) -> Tensor:
    """Rows of all ranks one below the other, ``(B_r, ...)`` → ``(ΣB_r, ...)``, on every rank.

    Args:
        value: this rank's rows.
        sizes: B_r of every rank, see :func:`rows_of_ranks`.
    """
    return value if len(sizes) == 1 else _JoinRanks.apply(value, sizes)


def add_ranks(value: Tensor) -> Tensor:
    """The sum of the ranks' tensors, on every rank."""
    return value if rank_and_world()[1] == 1 else _AddRanks.apply(value)


def shared(value: Tensor) -> Tensor:
    """A tensor that is the same on every rank, of which each rank's loss uses a part."""
    return value if rank_and_world()[1] == 1 else _Shared.apply(value)


def rows_of_ranks(value: Tensor) -> list[int]:
    """How many rows each rank has, in rank order."""
    _, world = rank_and_world()
    if world == 1:
        return [len(value)]
    counts = torch.zeros(world, dtype=torch.int64, device=value.device)
    counts[rank_and_world()[0]] = len(value)
    return sum_over_ranks(counts).tolist()


def rows_of_all(value: Tensor, sizes: list[int]) -> Tensor:
    """:func:`join_ranks` without a gradient, for labels and the like."""
    if len(sizes) == 1:
        return value
    # ranks of fewer rows fill up, since all have to send the same shape
    sent = value.new_zeros(max(sizes), *value.shape[1:])
    sent[: len(value)] = value.detach()
    received = [torch.empty_like(sent) for _ in sizes]
    distributed.all_gather(received, sent)
    return torch.cat([rows[:size] for rows, size in zip(received, sizes, strict=True)])


class _JoinRanks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, sizes: list[int]) -> Tensor:
        ctx.sizes = sizes
        return rows_of_all(value, sizes)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        rank, _ = rank_and_world()
        start = sum(ctx.sizes[:rank])
        return sum_over_ranks(gradient)[start : start + ctx.sizes[rank]], None


class _AddRanks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return sum_over_ranks(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return sum_over_ranks(gradient)


class _Shared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value.view_as(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return sum_over_ranks(gradient)
