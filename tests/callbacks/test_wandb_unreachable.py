"""A W&B server that is not there, or accepts and never answers, stops no run."""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from processes import start

BIN = Path(sys.executable).parent


class Silent:
    """A server that takes every request and answers none.

    Attributes:
        asked: the first bytes of each request.
    """

    def __init__(self, server: socket.socket) -> None:
        self.asked: list[bytes] = []
        self._server = server
        server.listen(50)
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as kept_open:
            while True:  # until the server is shut down
                connection, _ = self._server.accept()
                kept_open.enter_context(connection)
                self.asked.append(connection.recv(100))


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Nobody listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound
        with contextlib.suppress(OSError):
            bound.shutdown(socket.SHUT_RDWR)


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


def goes_on_offline(server: socket.socket, folder: Path) -> None:
    (folder / "run.yaml").write_text(yaml.safe_dump(config(folder)))
    begin = time.monotonic()
    process = start(
        [BIN / "lrfr", "fit", "--config", "run.yaml"], folder,
        WANDB_MODE="online", WANDB_BASE_URL=f"http://127.0.0.1:{server.getsockname()[1]}",
        WANDB_API_KEY="0" * 40, WANDB_INIT_TIMEOUT="2", WANDB_FINISH_TIMEOUT="2",
    )  # fmt: skip
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 0, errors
    assert time.monotonic() - begin < 150  # mostly the start of the command on a busy machine
    assert errors.count("Weights & Biases is out of reach") == 1
    assert (folder / "last.ckpt").exists()
    (kept,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    assert b"train/loss" in kept.read_bytes()


def test_without_a_server(server: socket.socket, tmp_path: Path) -> None:
    goes_on_offline(server, tmp_path)


def test_with_a_silent_server(server: socket.socket, tmp_path: Path) -> None:
    """It is asked for the run alone: telemetry would keep a run waiting at its end."""
    silent = Silent(server)
    goes_on_offline(server, tmp_path)
    assert silent.asked
    assert all(request.startswith(b"POST /graphql") for request in silent.asked)
