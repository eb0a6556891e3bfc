"""A rank that dies ends the others within a minute, and its fate is told."""

import time
from pathlib import Path
from typing import Any

import yaml
from test_killed import BIN, config

from processes import kill_remains, start

DIE = '''
import os, signal, time
import pytorch_lightning as pl

class Watch(pl.Callback):
    """Kills a rank in mid-training; the other one may wait where it notices nothing."""

    def __init__(self, rank: int, asleep: bool = False):
        self.rank, self.asleep = rank, asleep

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.fit_loop.total_batch_idx == 3:
            if trainer.global_rank == self.rank:
                os.kill(os.getpid(), signal.SIGKILL)
            elif self.asleep:
                time.sleep(300)
'''  # fmt: skip


def ended(folder: Path, command: list[Any]) -> tuple[int, float, str]:
    """Exit code, seconds until every process of the run is gone, and what was said."""
    begin = time.monotonic()
    process = start(command, folder)
    try:
        _, errors = process.communicate(timeout=100)  # the pipe is open as long as a rank lives
    finally:
        kill_remains(process)
    return process.returncode, time.monotonic() - begin, errors


def launch(folder: Path, rank: int, asleep: bool) -> list[Any]:
    (folder / "watch.py").write_text(DIE)
    content = config("run", 2)
    content["trainer"]["callbacks"] = [
        {"class_path": "watch.Watch", "init_args": {"rank": rank, "asleep": asleep}}
    ]
    (folder / "run.yaml").write_text(yaml.safe_dump(content))
    return [BIN / "lrfr", "fit", "--config", "run.yaml"]
