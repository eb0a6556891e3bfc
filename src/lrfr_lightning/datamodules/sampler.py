"""Order of the training images."""

from collections.abc import Iterator

from torch.utils.data import DistributedSampler

from lrfr_lightning.datasets.base import FaceDataset


class EpochSampler(DistributedSampler[tuple[int, int]]):
    """A seeded permutation per epoch, shared out over ranks; yields ``(epoch, index)``.

    The epoch travels with the index, so that workers that outlive an epoch draw anew in each.

    Args:
        dataset: the faces.
        seed: of the permutations.
        rank: this process's number.
        world: number of processes.
    """

    def __init__(self, dataset: FaceDataset, seed: int, rank: int, world: int) -> None:
        super().__init__(
            dataset,  # type: ignore[arg-type]
            num_replicas=world,
            rank=rank,
            shuffle=True,
            seed=seed,
            drop_last=True,
        )

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The ``(epoch, index)`` of this rank."""
        return iter([(self.epoch, int(index)) for index in super().__iter__()])  # type: ignore[call-overload]
