"""Sharpness on its way from the worker to the margin, and where it is missing."""

from functools import partial
from typing import Any

import pytest
import torch

from lrfr_lightning.callbacks import MarginStatistics
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datamodules.batch import join_views, quality_of
from lrfr_lightning.functional.sharpness import batch_sharpness
from lrfr_lightning.heads import LaplacianArcFace, MarginHead, ResolutionArcFace
from lrfr_lightning.transforms import CrossResolution, Listed
from lrfr_lightning.utils.errors import ConfigError


def first_batch(faces: Any, views: Any = "one", **arguments: Any) -> Any:
    cross = CrossResolution(Listed([14]), views=views)
    module = FaceDataModule(faces, cross, (), 8, num_workers=0, **arguments)
    return next(iter(module.train_dataloader()))


@pytest.mark.parametrize("views", ["one", "pair"])
def test_is_that_of_the_images_after_degradation(faces: Any, views: Any) -> None:
    joined = join_views(first_batch(faces, views))
    measured = quality_of(joined, "sharpness")
    assert torch.equal(measured, batch_sharpness(joined["image"]))
    degraded = joined["resolution"] < 112
    assert measured[degraded].max() < measured[~degraded].min()


def test_quality_is_an_entry_of_the_batch_or_nothing(faces: Any) -> None:
    batch = first_batch(faces)
    batch["sharpness"] = batch_sharpness(batch["image"])
    assert quality_of(batch, "resolution") is batch["resolution"]
    assert quality_of(batch, "sharpness") is batch["sharpness"]
    assert quality_of(batch, None) is None
    assert quality_of(batch, "age") is None


@pytest.mark.parametrize("views", ["one", "pair"])
def test_a_batch_without_it_is_measured_on_the_device(
    faces: Any, make_task: Any, views: Any
) -> None:
    batch = first_batch(faces, views)
    bare = join_views(batch)
    assert "sharpness" not in bare
    task = make_task(head=partial(MarginHead, margin=LaplacianArcFace()))
    embedding = torch.randn(len(bare["label"]), 16)
    given = {**bare, "sharpness": batch_sharpness(bare["image"])}
    assert torch.equal(task.loss(embedding, bare), task.loss(embedding, given))
    given["sharpness"] = given["sharpness"].flip(0)
    assert not torch.equal(task.loss(embedding, bare), task.loss(embedding, given))


def test_training_and_statistics_on_batches_without_it(
    faces: Any, make_task: Any, make_trainer: Any
) -> None:
    task = make_task(head=partial(MarginHead, margin=LaplacianArcFace()))
    batches = [first_batch(faces)]
    loader = torch.utils.data.DataLoader(batches, batch_size=None)
    trainer = make_trainer(callbacks=[MarginStatistics()], log_every_n_steps=1, max_steps=1)
    trainer.fit(task, loader, loader)
    assert trainer.callback_metrics["train/margin_lr"] > trainer.callback_metrics["train/margin_hr"]


def test_another_missing_entry_is_named(faces: Any, make_task: Any) -> None:
    class ByAge(ResolutionArcFace):
        quality_key = "age"

    task = make_task(head=partial(MarginHead, margin=ByAge()))
    with pytest.raises(ConfigError, match="ByAge needs the batch entry 'age' as quality, got None"):
        task.loss(torch.randn(8, 16), first_batch(faces))
