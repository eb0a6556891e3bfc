"""Two processes over gloo give what one gives."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
import yaml
from safetensors.torch import save_file

from lrfr_lightning.backbones import IResNet, MobileFaceNet
from lrfr_lightning.callbacks import ProtocolEvaluation
from lrfr_lightning.cli.main import main
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.embedders import CheckpointEmbedder, evaluate
from lrfr_lightning.heads import ArcFace, MarginHead
from lrfr_lightning.protocols import EmbeddedVerification, write_results
from lrfr_lightning.tasks import RecognitionTask
from lrfr_lightning.transforms import CrossResolution, LogUniform

# 40 images x 2 resolutions in batches of 6: uneven, and the last batch is a part
SIZE = {"identities": 20, "images_per_identity": 2, "pairs_per_fold": 2, "resolutions": [112, 14]}


def make_task() -> RecognitionTask:
    torch.manual_seed(0)
    return RecognitionTask(
        IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0),
        partial(MarginHead, margin=ArcFace(0.3, scale=16)),
        num_classes=8,
        optimizer=partial(torch.optim.SGD, lr=0.01),
    )


def make_trainer(folder: Path, **changes: Any) -> pl.Trainer:
    return pl.Trainer(
        accelerator="cpu", devices=2, strategy="ddp_spawn", max_epochs=1, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        num_sanity_val_steps=0, default_root_dir=folder, **changes,
    )  # fmt: skip


def test_evaluate_writes_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    backbone = {"class_path": "lrfr_lightning.backbones.MobileFaceNet"}
    save_file(MobileFaceNet().state_dict(), "w.safetensors")
    protocol = {"class_path": "lrfr_lightning.protocols.EmbeddedVerification", "init_args": SIZE}
    config = {"backbone": backbone, "weights": "w.safetensors", "protocols": [protocol],
              "batch_size": 6, "accelerator": "cpu"}  # fmt: skip
    Path("e.yaml").write_text(yaml.safe_dump(config))
    main(["evaluate", "--config", "e.yaml", "--output", "one.json"])
    main(["evaluate", "--config", "e.yaml", "--output", "two.json", "--devices", "2"])
    assert Path("one.json").read_bytes() == Path("two.json").read_bytes()


def test_training_and_its_evaluation(tmp_path: Path) -> None:
    data = FaceDataModule(EmbeddedFaces(8, 4), CrossResolution(LogUniform(6, 32)), (), 4, 0)
    protocol = EmbeddedVerification(**SIZE)
    callback = ProtocolEvaluation([protocol], "last", batch_size=6)
    trainer = make_trainer(tmp_path, callbacks=[callback])
    trainer.fit(make_task(), data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    alone = evaluate(CheckpointEmbedder(str(tmp_path / "last.ckpt")), protocol, batch_size=6)
    write_results(tmp_path / "alone.json", alone)
    assert (tmp_path / "results.json").read_bytes() == (tmp_path / "alone.json").read_bytes()
    logged = trainer.callback_metrics["val/embedded@14/auc"]
    assert logged == pytest.approx(alone[1].metrics["auc"])
