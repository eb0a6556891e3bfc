"""Collectives that are no-ops in one process."""

from typing import TypeVar

from torch import Tensor, distributed

T = TypeVar("T")


def rank_and_world() -> tuple[int, int]:
    """This process's rank and the number of processes."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def gather_objects(value: T) -> list[T]:
    """The value of every rank, in rank order, on every rank."""
    _, world = rank_and_world()
    if world == 1:
        return [value]
    gathered: list[T | None] = [None] * world
    distributed.all_gather_object(gathered, value)
    return [entry for entry in gathered if entry is not None]


def sum_over_ranks(value: Tensor) -> Tensor:
    """The sum of the tensors of all ranks, on every rank; every rank has to call it. No gradient.

    Shapes and dtypes must agree.
    """
    if rank_and_world()[1] == 1:
        return value
    total = value.detach().clone()
    distributed.all_reduce(total)
    return total


def leave() -> None:
    """Wait for all ranks and close the group: a rank that exits with it open may abort."""
    if rank_and_world()[1] > 1:
        distributed.barrier()
        distributed.destroy_process_group()
