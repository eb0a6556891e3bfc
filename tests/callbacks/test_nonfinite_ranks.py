"""Two ranks leave out the same steps, whichever of them sees what is not finite."""

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins import MixedPrecision
from torch import distributed

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.callbacks import NonFiniteGuard
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.heads import ArcFace, MarginHead, PartialFC
from lrfr_lightning.tasks import RecognitionTask
from lrfr_lightning.utils.errors import ConfigError
from processes import free_port, on_ranks

CLASSES = 7


class OwnRows(pl.Callback):
    """The second rank's rows of the identities' weights get an infinite gradient in some batches.

    DDP averages the gradients of the backbone alone, so the first rank does not see it.
    """

    def __init__(self, *bad: int) -> None:
        self.bad = bad
        self.before: list[Any] = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):  # type: ignore
        self.before.append([p.detach().clone() for p in pl_module.parameters()])

    def on_after_backward(self, trainer, pl_module):  # type: ignore
        if trainer.global_rank == 1 and trainer.fit_loop.total_batch_idx in self.bad:
            pl_module.head.classifier.weight.grad[0, 0] = float("inf")


def fit(
    folder: Path, guard: NonFiniteGuard, watch: OwnRows, epochs: int, **changes: Any
) -> RecognitionTask:
    torch.manual_seed(0)
    task = RecognitionTask(
        IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0),
        partial(MarginHead, margin=ArcFace(scale=16), classifier=PartialFC),
        CLASSES,
        partial(torch.optim.SGD, lr=0.01, momentum=0.9),
    )
    trainer = pl.Trainer(
        accelerator="cpu", devices=2, strategy="ddp", logger=False, max_epochs=epochs,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        accumulate_grad_batches=2, gradient_clip_val=0.1, default_root_dir=folder,
        callbacks=[guard, watch], **changes,
    )  # fmt: skip
    trainer.fit(task, FaceDataModule(EmbeddedFaces(CLASSES, 4), batch_size=4, num_workers=0))
    return task


def rank_process(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    # what torchrun sets
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
        "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "localhost",
    }  # fmt: skip
    guard, watch = (
        NonFiniteGuard(),
        OwnRows(2),
    )  # in the second of four steps, of 2, 1, 2 and 1 batches
    task = fit(folder, guard, watch, 2)
    found: dict[str, Any] = {"left_out": guard.left_out, "before": watch.before[2:]}
    found["backbone"] = task.backbone.state_dict()
    precision = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=1024.0))
    guard = NonFiniteGuard()
    fit(folder, guard, OwnRows(2), 1, plugins=[precision])
    found["fp16"] = (guard.left_out, guard.overflows, precision.scaler.state_dict())
    with pytest.raises(ConfigError, match="step 1: .*policy stop"):
        fit(folder / "stopped", NonFiniteGuard("stop"), OwnRows(2), 1)
    torch.save(found, folder / f"{rank}.pt")
    distributed.barrier()
    distributed.destroy_process_group()


def test_both_leave_out_what_one_cannot_train_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASTER_PORT", str(free_port()))
    on_ranks(rank_process, (tmp_path,), 2)
    one, two = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    for found in (one, two):
        assert found["left_out"] == 1
        step_1, step_2, _, step_3 = found["before"]
        assert all(torch.equal(a, b) for a, b in zip(step_1, step_2, strict=True))
        assert not all(torch.equal(a, b) for a, b in zip(step_2, step_3, strict=True))
        # without a fault in the loss it is the scale's own, and every rank lowers its scale
        assert found["fp16"][:2] == (0, 1)
        assert found["fp16"][2]["scale"] == 512
        assert found["fp16"][2]["_growth_tracker"] == 0
    for name, value in one["backbone"].items():
        if "running" not in name and "tracked" not in name:
            assert torch.equal(value, two["backbone"][name]), name
    records = [json.loads((tmp_path / f"nonfinite-step1-rank{r}.json").read_text()) for r in (0, 1)]
    assert [record["rank"] for record in records] == [0, 1]
    images = [{i for b in record["batches"] for i in b["index"]} for record in records]
    assert not images[0] & images[1]
    assert records[0]["gradient_norm"] != "inf"
    assert records[1]["gradient_norm"] == "inf"
    assert (tmp_path / "stopped" / "nonfinite-step1-rank0.json").exists()
