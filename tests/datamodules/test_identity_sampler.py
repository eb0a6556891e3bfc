"""Batches of P identities with K images each."""

from typing import Any

import numpy as np
import pytest
import torch

from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datamodules.sampler import IdentitySampler
from lrfr_lightning.transforms import CrossResolution, LogUniform
from lrfr_lightning.utils.errors import ConfigError


class Counted:
    """Labels only: identity i has ``counts[i]`` images, in mixed order."""

    def __init__(self, counts: list[int]) -> None:
        labels = np.repeat(np.arange(len(counts)), counts)
        self.labels = np.random.default_rng(0).permutation(labels)

    def __len__(self) -> int:
        return len(self.labels)


def epoch_of(faces: Any, size: int, k: int, epoch: int = 0, rank: int = 0, world: int = 1) -> Any:
    """Indices as ``(batches, P, K)``."""
    sampler = IdentitySampler(faces, 5, rank, world, size, k)
    sampler.set_epoch(epoch)
    keys = list(sampler)
    assert len(sampler) == len(keys)
    assert {e for e, _ in keys} == {epoch}
    return np.array([index for _, index in keys]).reshape(-1, size // k, k)


CASES = [
    pytest.param([8] * 4, 8, 2, id="all-identities-in-every-batch"),
    pytest.param([4] * 37, 12, 4, id="one-group-each"),
    pytest.param([100, 3, 5, 7, 9, 4, 4, 6], 12, 3, id="one-that-outnumbers-all-others"),
    pytest.param([30, 30, 30, 1, 2, 0, 5, 11, 4], 12, 4, id="some-too-small"),
    pytest.param(list(range(60)), 20, 2, id="all-sizes"),
    pytest.param([3] * 5, 4, 1, id="one-image-each"),
]


@pytest.mark.parametrize("epoch", range(4))
@pytest.mark.parametrize(("counts", "size", "k"), CASES)
def test_composition_of_each_batch(counts: list[int], size: int, k: int, epoch: int) -> None:
    faces = Counted(counts)
    batches = epoch_of(faces, size, k, epoch)
    labels = faces.labels[batches]
    assert len(batches) > 0
    assert (labels == labels[:, :, :1]).all()
    assert all(len(set(batch[:, 0])) == size // k for batch in labels)
    assert len(np.unique(batches)) == batches.size


@pytest.mark.parametrize(("counts", "size", "k"), CASES)
def test_as_many_batches_as_there_can_be(counts: list[int], size: int, k: int) -> None:
    groups = np.array(counts) // k
    count = len(epoch_of(Counted(counts), size, k))
    assert np.minimum(groups, count).sum() >= count * size // k
    assert np.minimum(groups, count + 1).sum() < (count + 1) * size // k


def test_every_identity_takes_part_as_its_size_allows() -> None:
    counts = [4 * n + extra for n in range(1, 11) for extra in range(4)]
    faces = Counted(counts)
    groups = np.bincount(faces.labels[epoch_of(faces, 32, 4)[:, :, 0]].ravel())
    wanted = np.array(counts) // 4
    assert (groups <= wanted).all()
    assert (groups >= 1).all()
    # only what fills no batch is left out, and the largest give it up
    assert wanted.sum() - groups.sum() < 8
    assert (groups == wanted)[:-8].all()


def test_epochs_differ_and_repeat() -> None:
    faces = Counted([9] * 20)
    first, second = epoch_of(faces, 16, 4), epoch_of(faces, 16, 4, epoch=1)
    assert first.shape == second.shape
    assert not np.array_equal(first, second)
    assert np.array_equal(first, epoch_of(faces, 16, 4))
    # the one image of nine that an epoch leaves out is not always the same
    assert set(first.ravel()) != set(second.ravel())


def test_an_identity_meets_many_others() -> None:
    faces = Counted([16] * 100)
    labels = faces.labels[epoch_of(faces, 40, 4)[:, :, 0]]
    met = [len(set(labels[(labels == i).any(axis=1)].ravel()) - {i}) for i in range(100)]
    assert np.mean(met) > 28  # of 36 at most, in the four batches it is in


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_share_whole_batches(world: int) -> None:
    faces = Counted([9, 30, 4, 8, 8, 8, 12, 5, 7, 4])
    shares = [epoch_of(faces, 8, 2, 3, rank, world) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    everything = np.concatenate(shares)
    assert len(np.unique(everything)) == everything.size
    labels = faces.labels[everything[:, :, 0]]
    assert all(len(set(batch)) == 4 for batch in labels)


def test_number_of_workers_changes_nothing(faces: Any) -> None:
    def batches(workers: int) -> list[Any]:
        views = CrossResolution(LogUniform(6, 32), share=1.0, views="pair")
        module = FaceDataModule(faces, views, (), 8, workers, images_per_identity=2)
        return list(module.train_dataloader())

    alone, shared = batches(0), batches(2)
    assert len(alone) == 4
    for one, other in zip(alone, shared, strict=True):
        assert all(torch.equal(one[key], other[key]) for key in one)
        assert one["label"].unique(return_counts=True)[1].tolist() == [2] * 4


def test_training_announces_the_epochs(make_task: Any, make_trainer: Any, faces: Any) -> None:
    module = FaceDataModule(faces, None, (), 8, num_workers=0, images_per_identity=4)
    seen = []
    task = make_task()
    task.loss = lambda embedding, batch: seen.append(batch["index"].tolist()) or 0 * embedding.sum()
    make_trainer(max_epochs=2).fit(task, module)
    expected = [epoch_of_module(faces, epoch) for epoch in (0, 1)]
    assert seen == expected[0] + expected[1]
    assert expected[0] != expected[1]


def epoch_of_module(faces: Any, epoch: int) -> list[list[int]]:
    sampler = IdentitySampler(faces, 0, 0, 1, 8, 4)
    sampler.set_epoch(epoch)
    return np.array([index for _, index in sampler]).reshape(-1, 8).tolist()


@pytest.mark.parametrize("k", [3, 0, -2])
def test_a_batch_holds_whole_identities(faces: Any, k: int) -> None:
    with pytest.raises(ConfigError, match=rf"expected a divisor of batch_size \(8\), got {k}"):
        FaceDataModule(faces, batch_size=8, images_per_identity=k)


def test_too_few_identities() -> None:
    faces: Any = Counted([4, 4, 4, 3, 3])
    message = "expected 1 batches of 4 different identities with at least 4 images .*, got 3 such"
    with pytest.raises(ConfigError, match=message):
        IdentitySampler(faces, 0, 0, 1, 16, 4)
    with pytest.raises(ConfigError, match="expected 2 batches of 3 different identities"):
        IdentitySampler(faces, 0, 0, 2, 12, 4)
