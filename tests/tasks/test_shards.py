"""Training with identity weights on two ranks, and its checkpoints on one, two and three."""

import os
from functools import partial
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import distributed

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.heads import AdaFace, CosineClassifier, MarginHead, PartialFC
from lrfr_lightning.tasks import RecognitionTask
from processes import free_port, on_ranks

WEIGHT = "head.classifier.weight"
CLASSES = 7  # no multiple of 2 or 3 ranks


def fit(folder: Path, classifier: type, steps: int, resume: Path | None = None) -> Path:
    """Train to a number of steps; the checkpoint."""
    torch.manual_seed(0)
    task = RecognitionTask(
        IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0),
        partial(MarginHead, margin=AdaFace(scale=16), classifier=classifier),
        CLASSES,
        partial(torch.optim.SGD, lr=0.01, momentum=0.9, weight_decay=1e-3),
    )
    trainer = pl.Trainer(
        accelerator="cpu", devices=int(os.environ["WORLD_SIZE"]), strategy="ddp", logger=False,
        max_steps=steps, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
        # far below the norm: ranks that clip by their own rows would part
        gradient_clip_val=0.1,
    )  # fmt: skip
    data = FaceDataModule(EmbeddedFaces(CLASSES, 4), batch_size=4, num_workers=0)
    trainer.fit(task, data, ckpt_path=None if resume is None else str(resume))
    path = folder / f"{classifier.__name__}-{steps}.ckpt"
    trainer.save_checkpoint(path)
    return path


def as_dense(path: Path) -> Path:
    """The same checkpoint for a classifier that holds all weights."""
    checkpoint = torch.load(path, weights_only=True)
    assert checkpoint.pop("sharded")["name"] == WEIGHT
    checkpoint["state_dict"].pop("head.classifier._extra_state")
    torch.save(checkpoint, path.with_name("dense.ckpt"))
    return path.with_name("dense.ckpt")


def rank_process(rank: int, world: int, folder: Path) -> None:
    torch.set_num_threads(1)
    # what torchrun sets
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world), "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "test",
        "MASTER_ADDR": "localhost", "MASTER_PORT": os.environ["SHARDS_PORT"],
    }  # fmt: skip
    if world == 2:
        first = fit(folder, PartialFC, 2)
        if rank == 0:
            as_dense(first)
        distributed.barrier()
        fit(folder, PartialFC, 4, first)
        fit(folder, CosineClassifier, 4, folder / "dense.ckpt")
    else:
        distributed.init_process_group("gloo", rank=rank, world_size=world)
    task = RecognitionTask.load_from_checkpoint(folder / "PartialFC-2.ckpt").eval()
    rows = task.head.classifier.rows
    torch.save(
        (list(rows), task.head.classifier(probe()).detach()), folder / f"logits-{world}-{rank}.pt"
    )
    distributed.barrier()
    distributed.destroy_process_group()


def probe() -> torch.Tensor:
    return torch.randn(3, 16, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs on two ranks, then loads on three."""
    folder = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        for world in (2, 3):
            patch.setenv("SHARDS_PORT", str(free_port()))
            on_ranks(rank_process, (world, folder), world)
    return folder


def test_a_checkpoint_holds_all_weights_and_what_the_optimiser_keeps_of_them(folder: Path) -> None:
    checkpoint = torch.load(folder / "PartialFC-2.ckpt", weights_only=True)
    assert checkpoint["state_dict"][WEIGHT].shape == (CLASSES, 16)
    place = checkpoint["sharded"]["places"][0]
    state = checkpoint["optimizer_states"][0]["state"][place]
    assert state["momentum_buffer"].shape == (CLASSES, 16)
    assert (state["momentum_buffer"].abs().sum(dim=1) > 0).all()


def test_two_sharded_ranks_train_as_two_dense_ones(folder: Path) -> None:
    sharded = torch.load(folder / "PartialFC-4.ckpt", weights_only=True)["state_dict"]
    dense = torch.load(folder / "CosineClassifier-4.ckpt", weights_only=True)["state_dict"]
    start = torch.load(folder / "PartialFC-2.ckpt", weights_only=True)["state_dict"]
    assert not torch.equal(start[WEIGHT], dense[WEIGHT])
    for name, value in dense.items():
        if value.is_floating_point():
            # rounding grows from step to step: far less than what the steps changed
            moved = (value - start[name]).abs().max()
            assert (sharded[name] - value).abs().max() <= 1e-3 * moved + 1e-6, name


@pytest.mark.parametrize("world", [1, 2, 3])
def test_it_loads_on_any_number_of_ranks_with_the_same_logits(folder: Path, world: int) -> None:
    path = folder / "PartialFC-2.ckpt"
    alone = RecognitionTask.load_from_checkpoint(path).eval().head.classifier(probe())
    assert alone.shape == (3, CLASSES)
    if world == 1:
        whole = torch.load(path, weights_only=True)["state_dict"][WEIGHT]
        expected = CosineClassifier(16, CLASSES)
        expected.load_state_dict({"weight": whole})
        assert torch.equal(alone, expected(probe()))
        return
    parts = [torch.load(folder / f"logits-{world}-{rank}.pt") for rank in range(world)]
    assert [row for rows, _ in parts for row in rows] == list(range(CLASSES))
    torch.testing.assert_close(torch.cat([part for _, part in parts], dim=1), alone)
