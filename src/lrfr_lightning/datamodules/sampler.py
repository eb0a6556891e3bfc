"""Order of the training images."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DistributedSampler

from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.utils.errors import ConfigError


class EpochSampler(DistributedSampler[tuple[int, int]]):
    """A seeded permutation per epoch, shared out over ranks; yields ``(epoch, index)``.

    The epoch travels with the index, so that workers that outlive an epoch draw anew in each.

    Args:
        dataset: the faces.
        seed: of the permutations.
        rank: this process's number.
        world: number of processes.

    Attributes:
        start: how many of this rank's images are left out at the beginning of an epoch.
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
        self.start = 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The ``(epoch, index)`` of this rank, from image ``start`` of its order on."""
        # a list of tuples would take 100 bytes an image
        return ((self.epoch, int(index)) for index in self._order()[self.start :])

    def _order(self) -> NDArray[np.int64]:
        """The images of this rank in this epoch; 8 bytes an image of the data set are held."""
        generator = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.randperm(len(self.dataset), generator=generator).numpy()  # type: ignore[arg-type]
        own: NDArray[np.int64] = order[self.rank : self.total_size : self.num_replicas]
        return own


class IdentitySampler(EpochSampler):
    """Batches of P identities with K images each; yields ``(epoch, index)``, batch after batch.

    An identity of n images takes part with ``n // K`` groups of K different images in an epoch (as
    far as the batches go round), drawn anew in each; those with fewer than K images never do. The
    identities of one batch differ.

    Args:
        dataset: the faces.
        seed: of the draws.
        rank: this process's number; ranks take turns in taking whole batches.
        world: number of processes.
        batch_size: P · K, per process.
        images_per_identity: K.

    Raises:
        ConfigError: ``batch_size`` is not a multiple of K, or too few identities have K images.
    """

    def __init__(
        self,
        dataset: FaceDataset,
        seed: int,
        rank: int,
        world: int,
        batch_size: int,
        images_per_identity: int,
    ) -> None:
        super().__init__(dataset, seed, rank, world)
        if images_per_identity < 1 or batch_size % images_per_identity:
            raise ConfigError(
                "images_per_identity: expected a divisor of batch_size "
                f"({batch_size}), got {images_per_identity}"
            )
        self._per_group = images_per_identity
        self._per_batch = batch_size // images_per_identity
        self._labels = np.asarray(dataset.labels)
        groups = np.bincount(self._labels) // images_per_identity
        self._batches = _full_batches(groups, self._per_batch) // world * world
        if not self._batches:
            raise ConfigError(
                f"expected {world} batches of {self._per_batch} different identities with at least "
                f"{images_per_identity} images each, got {np.count_nonzero(groups)} such "
                "identities; lower batch_size or images_per_identity"
            )
        self._groups = np.minimum(groups, self._batches)

    def __len__(self) -> int:
        """Images of this rank in an epoch."""
        return self._batches // self.num_replicas * self._per_batch * self._per_group

    def _order(self) -> NDArray[np.int64]:
        """The images of this rank in this epoch, batch after batch."""
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(len(self._groups))
        counts = self._counts(rng)[order]
        # groups of one identity lie side by side; nth: which of its identity's a group is
        identity = np.repeat(order, counts)
        nth = np.arange(len(identity)) - np.repeat(np.cumsum(counts) - counts, counts)
        images = self._images(identity, nth, rng)
        own = images[_spread(nth, self._batches, rng)[self.rank :: self.num_replicas]]
        order_of_images: NDArray[np.int64] = own.ravel()
        return order_of_images

    def _counts(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Groups of each identity in this epoch, as many as fill the batches.

        What is left over is taken from the identities with the most groups.
        """
        groups = self._groups.copy()
        for _ in range(groups.sum() - self._batches * self._per_batch):
            groups[np.argmax(groups + rng.random(len(groups)))] -= 1
        return groups

    def _images(
        self, identity: NDArray[np.int64], nth: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """K different images for each group, int64 ``(groups, K)``, none in two groups."""
        shuffled = rng.permutation(len(self._labels))
        by_identity = shuffled[np.argsort(self._labels[shuffled], kind="stable")]
        first = np.searchsorted(self._labels[by_identity], identity) + nth * self._per_group
        images: NDArray[np.int64] = by_identity[first[:, None] + np.arange(self._per_group)]
        return images


def _full_batches(groups: NDArray[np.int64], per_batch: int) -> int:
    """How many batches of ``per_batch`` different identities the groups of each can fill."""
    low, high = 0, int(groups.sum()) // per_batch
    while low < high:
        middle = (low + high + 1) // 2
        if np.minimum(groups, middle).sum() >= middle * per_batch:
            low = middle
        else:
            high = middle - 1
    return low


def _spread(nth: NDArray[np.int64], batches: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which groups each batch takes, int64 ``(batches, P)``; groups of one identity keep apart.

    All batches get their first group, then their second, and so on, in a new random order each
    time. An identity has at most as many groups as there are batches, so that only one that goes
    on from one round into the next could come twice: the batches it had are served last.
    """
    table = np.empty((batches, len(nth) // batches), np.int64)
    before = np.empty(0, np.int64)
    for place in range(table.shape[1]):
        start = place * batches
        order = rng.permutation(batches)
        had = before[len(before) - nth[start] :]
        order = np.concatenate([order[~np.isin(order, had)], had])
        table[order, place] = np.arange(start, start + batches)
        before = order
    return table
