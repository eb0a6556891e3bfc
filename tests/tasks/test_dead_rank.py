"""A rank that dies ends the others within a minute, and its fate is told."""

import re
import signal
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
                open("died", "w").close()
                os.kill(os.getpid(), signal.SIGKILL)
            elif self.asleep:
                time.sleep(300)
'''  # fmt: skip


def ended(folder: Path, command: list[Any]) -> tuple[int, float, str]:
    """Exit code, seconds from the death until every process is gone, and what was said."""
    process = start(command, folder)
    try:
        _, errors = process.communicate(timeout=250)  # the pipe is open as long as a rank lives
    finally:
        kill_remains(process)
    return process.returncode, time.time() - (folder / "died").stat().st_mtime, errors


def launch(folder: Path, rank: int, asleep: bool) -> list[Any]:
    (folder / "watch.py").write_text(DIE)
    content = config("run", 2)
    content["trainer"]["callbacks"] = [
        {"class_path": "watch.Watch", "init_args": {"rank": rank, "asleep": asleep}}
    ]
    (folder / "run.yaml").write_text(yaml.safe_dump(content))
    return [BIN / "lrfr", "fit", "--config", "run.yaml"]


def test_the_first_rank_names_the_one_that_was_killed(tmp_path: Path) -> None:
    code, seconds, errors = ended(tmp_path, launch(tmp_path, rank=1, asleep=False))
    assert code != 0
    assert seconds < 60
    # ours if gloo notices first, else that of Lightning's launcher
    ours = "rank 1 was killed by SIGKILL"
    assert ours in errors or re.search(
        r"\[rank: 1\] Child process .* terminated with code -9", errors
    )


def test_a_rank_that_waits_ends_with_the_first(tmp_path: Path) -> None:
    code, seconds, errors = ended(tmp_path, launch(tmp_path, rank=0, asleep=True))
    assert code == -signal.SIGKILL
    assert seconds < 60
    assert "rank 1: the first process of the run died, this one ends" in errors
