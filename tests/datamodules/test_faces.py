"""Batches: contents, shares, and that workers and epochs draw as they should."""

from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DistributedSampler

from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datamodules.batch import join_views, split_views
from lrfr_lightning.datamodules.sampler import EpochSampler
from lrfr_lightning.datasets import RecordIO
from lrfr_lightning.datasets.recordio import write_recordio
from lrfr_lightning.functional.resize import Kernel, degrade
from lrfr_lightning.transforms import CrossResolution, Listed, LogUniform
from lrfr_lightning.utils.errors import ConfigError, DataError

FLIP = [{"HorizontalFlip": {"p": 0.5}}]


def batches(module: FaceDataModule, epoch: int = 0) -> list[Any]:
    loader = module.train_dataloader()
    loader.sampler.set_epoch(epoch)
    return list(loader)


def test_batch_contract(faces: Any) -> None:
    module = FaceDataModule(faces, CrossResolution(LogUniform(6, 32)), FLIP, 8, num_workers=0)
    seen = batches(module)
    assert len(seen) == 4
    assert sorted(torch.cat([b["index"] for b in seen]).tolist()) == list(range(32))
    for batch in seen:
        assert batch["image"].shape == (8, 3, 112, 112)
        assert batch["image"].dtype == torch.uint8
        assert batch["label"].tolist() == [int(faces.labels[i]) for i in batch["index"]]
        assert (batch["resolution"] < 112).sum() == 4
        assert batch["resolution"].tolist() == sorted(batch["resolution"])


def test_resolutions_fall_on_any_image_of_the_sampler_s_order(faces: Any) -> None:
    module = FaceDataModule(faces, CrossResolution(LogUniform(6, 32)), (), 8, num_workers=0)
    seen: list[set[bool]] = [set() for _ in range(8)]
    loader = module.train_dataloader()
    for epoch in range(4):
        loader.sampler.set_epoch(epoch)
        order = [index for _, index in loader.sampler]
        for number, batch in enumerate(loader):
            for index, side in zip(batch["index"], batch["resolution"], strict=True):
                seen[order.index(int(index)) - 8 * number].add(int(side) < 112)
    assert seen == [{False, True}] * 8


def test_each_image_is_degraded_to_the_resolution_beside_it(faces: Any) -> None:
    cross = CrossResolution(LogUniform(6, 32), down=Kernel("box"), up=Kernel("box"))
    for batch in batches(FaceDataModule(faces, cross, (), 8, num_workers=0)):
        made = zip(batch["image"], batch["index"], batch["resolution"], strict=True)
        for image, index, side in made:
            expected = degrade(faces.image(int(index)), int(side), cross.down, cross.up)
            assert np.array_equal(image.permute(1, 2, 0), expected)


def test_undegraded_samples_are_the_images(faces: Any) -> None:
    for batch in batches(FaceDataModule(faces, None, (), 8, num_workers=0)):
        for image, index in zip(batch["image"], batch["index"], strict=True):
            assert np.array_equal(image.permute(1, 2, 0), faces.image(int(index)))
        assert (batch["resolution"] == 112).all()


def test_pairs_and_their_joining(faces: Any) -> None:
    views = CrossResolution(Listed([14]), share=1.0, views="pair")
    batch = batches(FaceDataModule(faces, views, (), 8, num_workers=0))[0]
    joined = join_views(batch)
    assert torch.equal(joined["image"], torch.cat([batch["image"], batch["image_lr"]]))
    assert joined["resolution"].tolist() == [112] * 8 + [14] * 8
    assert torch.equal(joined["label"], batch["label"].repeat(2))
    assert "image_lr" not in joined
    high, low, label = split_views(joined["image"], joined)
    assert torch.equal(high, batch["image"])
    assert torch.equal(low, batch["image_lr"])
    assert torch.equal(label, batch["label"])


@pytest.mark.parametrize("count", [8, 7])
def test_one_view_is_not_split(faces: Any, count: int) -> None:
    batch = batches(FaceDataModule(faces, None, (), count, num_workers=0))[0]
    with pytest.raises(ConfigError, match=f"got {count} entries .*init_args.views: pair"):
        split_views(batch["image"], join_views(batch))


def equal(first: list[Any], second: list[Any]) -> bool:
    return all(torch.equal(a[key], b[key]) for a, b in zip(first, second, strict=True) for key in a)


def test_number_of_workers_changes_nothing_and_epochs_differ(faces: Any) -> None:
    def make(workers: int) -> FaceDataModule:
        return FaceDataModule(faces, CrossResolution(LogUniform(6, 32)), FLIP, 8, workers)

    alone, epoch_1 = batches(make(0)), batches(make(0), epoch=1)
    assert equal(alone, batches(make(2)))
    assert not equal(alone, epoch_1)
    images = {int(i): image for b in alone for i, image in zip(b["index"], b["image"], strict=True)}
    again = {int(i): m for b in epoch_1 for i, m in zip(b["index"], b["image"], strict=True)}
    assert sum(not torch.equal(images[i], again[i]) for i in images) > 8


def test_workers_that_outlive_an_epoch_draw_anew(faces: Any) -> None:
    module = FaceDataModule(faces, CrossResolution(LogUniform(6, 32)), FLIP, 8, num_workers=1)
    loader = module.train_dataloader()
    seen = []
    for epoch in (0, 1):
        loader.sampler.set_epoch(epoch)
        seen.append(list(loader))
    assert equal(seen[1], batches(module, epoch=1))
    assert not equal(seen[0], seen[1])


def test_ranks_share_the_epoch_without_overlap(faces: Any) -> None:
    shares = [list(EpochSampler(faces, 0, rank, 2)) for rank in (0, 1)]
    assert sorted(index for share in shares for _, index in share) == list(range(32))


def test_the_order_is_torch_s_own(faces: Any) -> None:
    theirs = DistributedSampler(faces, 3, 1, shuffle=True, seed=5, drop_last=True)
    ours = EpochSampler(faces, 5, rank=1, world=3)
    for sampler in (theirs, ours):
        sampler.set_epoch(2)
    assert list(ours) == [(2, index) for index in theirs]
    assert len(list(ours)) == len(ours) == 10


def test_predict_sees_every_image_as_it_is(faces: Any) -> None:
    module = FaceDataModule(faces, CrossResolution(Listed([7])), FLIP, 5, num_workers=0)
    seen = list(module.predict_dataloader())
    assert torch.cat([b["index"] for b in seen]).tolist() == list(range(32))
    assert all((b["resolution"] == 112).all() for b in seen)


def test_bad_settings_end_before_training(faces: Any, small_faces: Any) -> None:
    with pytest.raises(ConfigError, match=r"batch_size: expected 1..32 .*, got 33"):
        FaceDataModule(faces, batch_size=33)
    with pytest.raises(ConfigError, match="resolution 113 px is larger than the image"):
        FaceDataModule(faces, CrossResolution(Listed([113])), batch_size=8)
    with pytest.raises(DataError, match="drawn face 0: expected an aligned face of 112x112 px"):
        FaceDataModule(small_faces, batch_size=8).setup("fit")


@pytest.mark.parametrize("views", ["one", "pair"])
def test_the_device_degrades_as_the_workers_do(
    faces: Any, make_task: Any, make_trainer: Any, views: Any
) -> None:
    seen: dict[str, list[Any]] = {}

    class Recorder(pl.Callback):
        def on_train_batch_start(self, trainer: Any, task: Any, batch: Any, batch_idx: int) -> None:
            seen[where].append({key: value.clone() for key, value in batch.items()})

    for where in ("workers", "device"):
        seen[where] = []
        cross = CrossResolution(LogUniform(6, 32), views=views, where=where)
        module = FaceDataModule(faces, cross, (), 8, num_workers=0)
        make_trainer(callbacks=[Recorder()]).fit(make_task(), module)
    assert len(seen["device"]) == 4
    assert equal(seen["workers"], seen["device"])
    loaded = batches(module)[0]["image"]
    degraded = seen["device"][0]["image_lr" if views == "pair" else "image"]
    assert (loaded != degraded).flatten(1).any(1).sum() == 4


def test_faces_stored_as_jpeg_are_decoded_as_one_image_is(faces: Any, tmp_path: Any) -> None:
    write_recordio(faces, tmp_path / "rec")
    stored = RecordIO(tmp_path / "rec")
    for batch in batches(FaceDataModule(stored, None, (), 8, num_workers=0)):
        for image, index in zip(batch["image"], batch["index"], strict=True):
            assert np.array_equal(image.permute(1, 2, 0), stored.image(int(index)))
        assert batch["image"].is_contiguous(memory_format=torch.channels_last)
