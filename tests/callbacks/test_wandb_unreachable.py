"""A W&B server that is not there, or accepts and never answers, stops no run."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from processes import start

BIN = Path(sys.executable).parent


@pytest.fixture(params=["closed", "silent"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of a server nobody can use."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if request.param == "silent":
            server.listen(50)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def config(folder: Path) -> dict[str, Any]:
    """One epoch of four steps, logged to W&B."""
    logger = {"class_path": "lrfr_lightning.callbacks.SteadyWandbLogger",
              "init_args": {"project": "test", "save_dir": str(folder)}}  # fmt: skip
    return {
        "trainer": {
            "accelerator": "cpu", "devices": 1, "max_epochs": 1, "log_every_n_steps": 1,
            "enable_progress_bar": False, "enable_model_summary": False, "limit_val_batches": 0,
            "logger": logger,
            "callbacks": [{"class_path": "ModelCheckpoint",
                           "init_args": {"dirpath": str(folder), "filename": "last"}}],
        },
        "model": {"class_path": "lrfr_lightning.tasks.RecognitionTask", "init_args": {
            "backbone": {"class_path": "lrfr_lightning.backbones.IResNet",
                         "init_args": {"depth": 18, "embedding_dim": 16, "width": 4}},
            "head": {"class_path": "lrfr_lightning.heads.MarginHead", "init_args": {
                "margin": {"class_path": "lrfr_lightning.heads.ArcFace"}}},
        }},
        "data": {"dataset": {"class_path": "lrfr_lightning.datasets.EmbeddedFaces",
                             "init_args": {"identities": 4, "images_per_identity": 2}},
                 "batch_size": 2, "num_workers": 0},
    }  # fmt: skip


def test_the_run_goes_on_offline(address: str, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config(tmp_path)))
    begin = time.monotonic()
    process = start(
        [BIN / "lrfr", "fit", "--config", "run.yaml"], tmp_path,
        WANDB_MODE="online", WANDB_BASE_URL=address, WANDB_API_KEY="0" * 40,
        WANDB_INIT_TIMEOUT="2", WANDB_FINISH_TIMEOUT="2",
    )  # fmt: skip
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert time.monotonic() - begin < 150  # mostly the start of the command on a busy machine
    assert errors.count("Weights & Biases is out of reach") == 1
    assert (tmp_path / "last.ckpt").exists()
    (kept,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    assert b"train/loss" in kept.read_bytes()
