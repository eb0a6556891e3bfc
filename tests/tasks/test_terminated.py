"""``lrfr fit`` saves and stops at SIGTERM, and the same command goes on as if nothing had been."""

from pathlib import Path
from typing import Any

import pytest
import torch
from test_killed import BIN, config, fit, lines, nodes

from processes import Forked, Started, finish, start

LAST = ("--ckpt_path", "last")
TERMINATE = '''
import json, os, signal
import pytorch_lightning as pl

class Watch(pl.Callback):
    """Writes down every batch; in each given one sends SIGTERM to a rank, or to every process."""

    def __init__(self, name: str, stops: dict):
        self.name, self.stops = name, {int(k): v for k, v in stops.items()}

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        seen = [trainer.current_epoch, batch_idx, batch["index"].tolist()]
        seen.append(batch["resolution"].tolist())
        with open(f"{self.name}-{trainer.global_rank}.jsonl", "a") as file:
            file.write(json.dumps(seen) + "\\n")
        whom = self.stops.get(trainer.fit_loop.total_batch_idx)
        if whom == "all" and trainer.global_rank == 0:
            os.killpg(0, signal.SIGTERM)  # workers, too: so does a cluster
        elif whom == trainer.global_rank:
            os.kill(os.getpid(), signal.SIGTERM)
'''  # fmt: skip


def settings(name: str, ranks: int, stops: dict[int, Any]) -> dict[str, Any]:
    """The recipe of the killed runs, with checkpoints at the end of an epoch alone."""
    changed = config(name, ranks)
    changed["trainer"]["callbacks"] = [
        {"class_path": "watch.Watch", "init_args": {"name": name, "stops": stops}},
        {"class_path": "ModelCheckpoint", "init_args": {
            "dirpath": f"{name}-ckpt", "save_top_k": -1, "filename": "{step}", "save_last": True,
            "enable_version_counter": False}},
    ]  # fmt: skip
    return changed


def stopped(process: Started, step: int) -> None:
    """Wait for a run that gets the signal before the end of ``step``."""
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 143, errors
    assert f"SIGTERM: stopped after step {step}, saved " in errors
    assert "Traceback" not in errors


def test_one_process_as_under_slurm(tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(TERMINATE)
    whole = Forked(fit(tmp_path, "whole", settings("whole", 1, {}), *LAST), tmp_path)
    # the signal comes in the first of two batches of a step, which is made whole
    again = fit(tmp_path, "run", settings("run", 1, {4: "all", 10: "all"}), *LAST)
    slurm = {"SLURM_NTASKS": "1", "SLURM_JOB_NAME": "train", "SLURM_JOB_ID": "7",
             "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_PROCID": "0"}  # fmt: skip
    stopped(Forked(again, tmp_path, **slurm), 3)
    stopped(Forked(again, tmp_path, **slurm), 6)
    finish(Forked(again, tmp_path, **slurm))
    finish(whole)
    same_run(tmp_path, 1, 8)


@pytest.mark.timeout(600)
def test_two_ranks_whoever_gets_the_signal(tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(TERMINATE)
    stops: dict[int, Any] = {0: 1, 2: 0, 4: "all"}
    launched = fit(tmp_path, "launched", settings("run", 2, stops), *LAST)
    again = fit(tmp_path, "run", nodes(settings("run", 2, stops)), *LAST)
    stopped(start([BIN / "lrfr", *launched], tmp_path), 1)
    for step in (2, 3):
        stopped(Forked(again, tmp_path, 2), step)
    finish(Forked(again, tmp_path, 2))
    finish(Forked(fit(tmp_path, "whole", nodes(settings("whole", 2, {})), *LAST), tmp_path, 2))
    same_run(tmp_path, 2, 4)


def same_run(folder: Path, ranks: int, steps: int) -> None:
    """No batch was left out or seen twice, and the end is the same to the bit."""
    for rank in range(ranks):
        assert lines(folder, "run", rank) == lines(folder, "whole", rank)
        assert len(lines(folder, "run", rank)) == 2 * steps
    one, two = (
        torch.load(folder / f"{name}-ckpt" / f"step={steps}.ckpt", weights_only=True)
        for name in ("whole", "run")
    )
    for part in ("state_dict", "optimizer_states", "lr_schedulers"):
        torch.testing.assert_close(one[part], two[part], rtol=0, atol=0)
