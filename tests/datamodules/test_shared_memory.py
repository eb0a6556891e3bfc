"""A garbage collection during training copies no memory that the workers share."""

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from benchmarks.input_memory import tree_mb

from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.functional.image import Image
from lrfr_lightning.tasks import RecognitionTask

Fit = Callable[[pl.Callback, EmbeddedFaces], None]


class Telling(EmbeddedFaces):
    """Faces whose readers write down how many objects no collection looks at."""

    def __init__(self, folder: Path) -> None:
        super().__init__(identities=8, images_per_identity=2)
        self.folder = folder

    def image(self, index: int) -> Image:
        (self.folder / str(os.getpid())).write_text(str(gc.get_freeze_count()))
        return super().image(index)


class Collect(pl.Callback):
    """What a collection adds to the memory of the process and its workers, MB."""

    added = 0.0

    def on_train_batch_end(self, *_: Any) -> None:
        before = tree_mb(os.getpid())
        gc.collect()
        self.added = tree_mb(os.getpid()) - before


class Fail(pl.Callback):
    """Ends the run in an error."""

    def on_train_batch_end(self, *_: Any) -> None:
        raise RuntimeError("on purpose")


@pytest.fixture
def fit(make_task: Callable[..., RecognitionTask], tmp_path: Path) -> Fit:
    """A step with two workers."""
    return lambda callback, faces: one_step(
        callback, make_task(num_classes=faces.num_classes), faces, tmp_path
    )


def one_step(
    callback: pl.Callback, task: RecognitionTask, faces: EmbeddedFaces, folder: Path
) -> None:
    data = FaceDataModule(faces, batch_size=8, num_workers=2)
    trainer = pl.Trainer(
        accelerator="cpu", devices=1, max_steps=1, callbacks=[callback], logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        limit_val_batches=0, default_root_dir=folder,
    )  # fmt: skip
    trainer.fit(task, data)


def test_a_collection_copies_nothing(fit: Fit) -> None:
    watched = Collect()
    fit(watched, EmbeddedFaces(identities=8, images_per_identity=2))
    assert watched.added < 20  # 119 where it looks at all that was imported


def test_workers_start_with_it_and_the_process_ends_without(fit: Fit, tmp_path: Path) -> None:
    (tmp_path / "told").mkdir()
    faces = Telling(tmp_path / "told")
    fit(Collect(), faces)
    told = {int(file.name): int(file.read_text()) for file in faces.folder.iterdir()}
    workers = [count for process, count in told.items() if process != os.getpid()]
    assert len(workers) == 2
    assert min(workers) > 100_000
    assert gc.get_freeze_count() == 0
    with pytest.raises(RuntimeError, match="on purpose"):
        fit(Fail(), faces)
    assert gc.get_freeze_count() == 0
