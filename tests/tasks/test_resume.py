"""A run that goes on from any of its checkpoints ends as if it had never stopped."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.heads import AdaFace, MarginHead
from lrfr_lightning.tasks import WarmupCosine
from lrfr_lightning.transforms import CrossResolution, Listed

# a resumed trainer of these tests writes no checkpoints of its own
pytestmark = pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`")


class Seen(pl.Callback):
    """The images of each batch."""

    def __init__(self) -> None:
        self.batches: list[Any] = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):  # type: ignore
        pixels = int(batch["image"].long().sum())
        where = (trainer.current_epoch, batch_idx, trainer.global_step)
        self.batches.append((*where, batch["index"].tolist(), pixels))


class Saved(ModelCheckpoint):
    """Two of a kind may stand in one trainer."""

    @property
    def state_key(self) -> str:
        return str(self.filename)


def checkpoints(folder: Path) -> list[pl.Callback]:
    """One after every step and one at the end of every epoch."""
    common = {"dirpath": folder, "save_top_k": -1, "auto_insert_metric_name": False}
    return [
        Saved(every_n_train_steps=1, filename="step{step}", **common),
        Saved(every_n_epochs=1, save_on_train_epoch_end=True, filename="epoch{step}", **common),
    ]


@pytest.mark.parametrize(
    "length",
    [
        {"max_epochs": 2},
        {"max_epochs": -1, "max_steps": 7},
        {"max_epochs": 2, "accumulate_grad_batches": 3},
    ],
    ids=["epochs", "steps", "accumulated"],
)
def test_every_checkpoint_continues_the_same_run(
    faces: Any, make_task: Any, make_trainer: Any, tmp_path: Path, length: dict[str, int]
) -> None:
    def fit(callbacks: list[pl.Callback], start: Path | None = None) -> Any:
        pl.seed_everything(3, verbose=False)
        seen = Seen()
        task = make_task(
            backbone=IResNet(depth=18, embedding_dim=16, width=4, dropout=0.4),
            head=partial(MarginHead, margin=AdaFace(scale=16)),
            optimizer=partial(torch.optim.SGD, lr=0.01, momentum=0.9),
            lr_scheduler=WarmupCosine,
        )
        views = CrossResolution(Listed([7, 14]))
        data = FaceDataModule(faces, views, [{"HorizontalFlip": {"p": 0.5}}], 8, num_workers=0)
        trainer = make_trainer(
            callbacks=[seen, *callbacks], enable_checkpointing=bool(callbacks), **length
        )
        trainer.fit(task, data, ckpt_path=start)
        return seen.batches, task.state_dict()

    batches, weights = fit(checkpoints(tmp_path))
    # one in the first epoch, the end of it, the last before the end of it, one in the second
    steps = -(-4 // length.get("accumulate_grad_batches", 1))
    for name in ("step1", f"step{steps}", f"epoch{steps}", f"step{steps + 1}"):
        left, resumed = fit([], tmp_path / f"{name}.ckpt")
        assert left
        assert left == batches[-len(left) :]
        assert left[0][2] == int(name.strip("stepoch"))
        for key, value in weights.items():
            if isinstance(value, torch.Tensor):
                assert torch.equal(value, resumed[key]), (name, key)


def test_no_image_of_a_trained_batch_is_read(
    faces: Any, make_task: Any, make_trainer: Any, tmp_path: Path
) -> None:
    trainer = make_trainer(callbacks=checkpoints(tmp_path), enable_checkpointing=True)
    trainer.fit(make_task(), FaceDataModule(faces, None, (), 8, num_workers=0))
    read: list[int] = []
    image = faces.image
    faces.image = lambda index: read.append(index) or image(index)
    data = FaceDataModule(faces, None, (), 8, num_workers=0)
    make_trainer().fit(make_task(), data, ckpt_path=tmp_path / "step3.ckpt")
    # the one that setup looks at, and the batch that was left
    assert len(read) == 1 + 8
    assert len(list(data.train_dataloader())) == 4  # a whole epoch for whoever asks afterwards
