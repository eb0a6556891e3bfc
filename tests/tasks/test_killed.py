"""``lrfr fit``, killed in the midst of an epoch and started again, ends as if nothing had happened.

Ranks are made in two of the ways that Lightning knows: a node for each process, and torchrun;
tests/test_distributed.py has its own launcher.
"""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from processes import Forked, finish, free_port, kill_remains, start

BIN = Path(sys.executable).parent
KILL = '''
import json, os, signal
import pytorch_lightning as pl

class Watch(pl.Callback):
    """Writes down every batch; dies in the given one."""

    def __init__(self, name: str, die_at: int = -1):
        self.name, self.die_at = name, die_at

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        seen = [trainer.current_epoch, batch_idx, batch["index"].tolist()]
        seen.append(batch["resolution"].tolist())
        with open(f"{self.name}-{trainer.global_rank}.jsonl", "a") as file:
            file.write(json.dumps(seen) + "\\n")
        if trainer.fit_loop.total_batch_idx == self.die_at:
            trainer.strategy.barrier()
            os.kill(os.getpid(), signal.SIGKILL)
'''  # fmt: skip


def config(name: str, ranks: int, die_at: int = -1) -> dict[str, Any]:
    """Two epochs of four or eight batches, two of them to a step; a checkpoint every step."""
    checkpoint = {"dirpath": f"{name}-ckpt", "filename": "{step}", "save_top_k": -1}
    watch = {"class_path": "watch.Watch", "init_args": {"name": name, "die_at": die_at}}
    margin = {"class_path": "lrfr_lightning.heads.AdaFace", "init_args": {"scale": 16}}
    backbone = {"depth": 18, "embedding_dim": 16, "width": 4, "dropout": 0.4}
    views = {"resolutions": {"class_path": "lrfr_lightning.transforms.Listed",
                             "init_args": {"sides": [7, 14]}}}  # fmt: skip
    return {
        "seed_everything": 5,
        "trainer": {
            "accelerator": "cpu", "devices": ranks, "strategy": "ddp" if ranks > 1 else "auto",
            "max_epochs": 2, "accumulate_grad_batches": 2, "gradient_clip_val": 1.0,
            "logger": False, "enable_progress_bar": False, "enable_model_summary": False,
            "limit_val_batches": 0,
            "callbacks": [watch, {"class_path": "ModelCheckpoint",
                                  "init_args": checkpoint | {"every_n_train_steps": 1}}],
        },
        "model": {"class_path": "lrfr_lightning.tasks.RecognitionTask", "init_args": {
            "backbone": {"class_path": "lrfr_lightning.backbones.IResNet", "init_args": backbone},
            "head": {"class_path": "lrfr_lightning.heads.MarginHead",
                     "init_args": {"margin": margin}},
            "lr_scheduler": {"class_path": "lrfr_lightning.tasks.WarmupCosine"},
        }},
        "data": {
            "dataset": {"class_path": "lrfr_lightning.datasets.EmbeddedFaces",
                        "init_args": {"identities": 8, "images_per_identity": 4}},
            "cross_resolution": {"class_path": "lrfr_lightning.transforms.CrossResolution",
                                 "init_args": views},
            "augmentation": [{"HorizontalFlip": {"p": 0.5}}],
            "batch_size": 4, "num_workers": 1,
        },
    }  # fmt: skip


def fit(folder: Path, name: str, settings: dict[str, Any], *more: str) -> list[str]:
    """The arguments of ``lrfr`` for settings that are written beside."""
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(settings))
    return ["fit", "--config", f"{name}.yaml", *more]


def nodes(settings: dict[str, Any]) -> dict[str, Any]:
    """The same on two nodes of one process each."""
    settings["trainer"] |= {"devices": 1, "num_nodes": 2}
    return settings


def lines(folder: Path, name: str, rank: int) -> list[Any]:
    return [json.loads(line) for line in (folder / f"{name}-{rank}.jsonl").read_text().splitlines()]


def compare(folder: Path, ranks: int, batches: int) -> None:
    """Killed and resumed runs together against the whole one."""
    for rank in range(ranks):
        whole = lines(folder, "whole", rank)
        assert len(whole) == batches
        # the batch after the last checkpoint is seen by both
        killed, resumed = lines(folder, "killed", rank), lines(folder, "resumed", rank)
        done = batches - len(resumed)
        assert 0 < done <= len(killed) < batches
        assert killed == whole[: len(killed)]
        assert resumed == whole[done:]
    last = f"step={batches // 2}.ckpt"
    one, two = (
        torch.load(folder / f"{name}-ckpt" / last, weights_only=True)
        for name in ("whole", "resumed")
    )
    for part in ("state_dict", "optimizer_states", "lr_schedulers"):
        torch.testing.assert_close(one[part], two[part], rtol=0, atol=0)


def test_one_process(tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(KILL)
    whole = Forked(fit(tmp_path, "whole", config("whole", 1)), tmp_path)
    # 8 batches an epoch; 13 were seen, 6 steps made
    killed = Forked(fit(tmp_path, "killed", config("killed", 1, die_at=13)), tmp_path)
    finish(killed, -signal.SIGKILL)
    kill_remains(killed)
    again = config("resumed", 1)
    resumed = fit(tmp_path, "resumed", again, "--ckpt_path", "killed-ckpt/step=6.ckpt")
    finish(Forked(resumed, tmp_path))
    finish(whole)
    compare(tmp_path, 1, 16)


@pytest.mark.timeout(600)
def test_two_ranks(tmp_path: Path) -> None:
    (tmp_path / "watch.py").write_text(KILL)
    killed = Forked(fit(tmp_path, "killed", nodes(config("killed", 2, die_at=5))), tmp_path, 2)
    killed.communicate(timeout=200)
    kill_remains(killed)
    assert killed.returncode != 0
    torchrun = [BIN / "torchrun", "--nproc_per_node", "2", "--master_port", str(free_port()),
                "--no-python", BIN / "lrfr"]  # fmt: skip
    again = fit(tmp_path, "resumed", config("resumed", 2), "--ckpt_path", "killed-ckpt/step=2.ckpt")
    finish(start([*torchrun, *again], tmp_path))
    finish(Forked(fit(tmp_path, "whole", nodes(config("whole", 2))), tmp_path, 2))
    compare(tmp_path, 2, 8)
