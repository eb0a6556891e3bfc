"""Killed at random moments and started again: ``python -m benchmarks.kills --kills 20``.

A run of ``lrfr fit`` that writes a checkpoint after every step is killed by SIGKILL, with its
worker, at moments drawn from a seed, and started again by the same command. Its weights, its
optimiser and its schedule at the end have to be those of the undisturbed run, to the bit.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from multiprocessing import get_context, get_start_method, set_start_method
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
import yaml
from tqdm import tqdm

from benchmarks.machine import describe
from lrfr_lightning.utils.paths import whole_file

EPOCHS = 6
STEPS = 4 * EPOCHS
"""32 images in batches of four, two batches to a step."""


@dataclass(frozen=True)
class Kill:
    """What came of one.

    Attributes:
        seconds: after the first file of a checkpoint was there.
        step: of the checkpoint that was whole then; 0: none was.
        in_a_write: whether an unfinished checkpoint was left.
        equal: whether the resumed run ended as the undisturbed one did.
    """

    seconds: float
    step: int
    in_a_write: bool
    equal: bool


def kills(folder: Path, count: int, seed: int) -> list[Kill]:
    """Kill ``count`` runs in folders below ``folder``.

    Raises:
        RuntimeError: a run fails by itself.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.kills", "lrfr_lightning.cli.training",
                                    "lrfr_lightning.datasets", "timm"])  # fmt: skip
    whole = _start(context, folder / "whole")
    start = _first_file(folder / "whole")
    _finish(whole, folder / "whole")
    seconds = time.monotonic() - start
    draw = random.Random(seed)
    moments = [draw.uniform(0, seconds) for _ in range(count)]
    expected = _outcome(folder / "whole")
    return [
        _kill(context, folder / f"{number}", moment, expected)
        for number, moment in enumerate(tqdm(moments, desc="kills"))
    ]


def _kill(context: Any, folder: Path, moment: float, expected: dict[str, Any]) -> Kill:
    run = _start(context, folder)
    start = _first_file(folder)
    time.sleep(max(0.0, start + moment - time.monotonic()))
    if run.is_alive():
        os.killpg(run.pid or 0, signal.SIGKILL)
    run.join()
    in_a_write = any((folder / "checkpoints").glob("*.partial"))
    last = folder / "checkpoints" / "last.ckpt"
    step = torch.load(last, weights_only=True)["global_step"] if last.exists() else 0
    _finish(_start(context, folder), folder)
    # also an unfinished file would be there: the folder holds the checkpoint alone
    alone = os.listdir(folder / "checkpoints") == ["last.ckpt"]
    equal = alone and _same(_outcome(folder), expected)
    return Kill(round(moment, 3), step, in_a_write, equal)


def _start(context: Any, folder: Path) -> BaseProcess:
    """Begin the command; it is the same the first time and again."""
    folder.mkdir(exist_ok=True)
    (folder / "run.yaml").write_text(yaml.safe_dump(_config()))
    process: BaseProcess = context.Process(target=_fit, args=(folder, get_start_method()))
    process.start()
    return process


def _fit(folder: Path, start_method: str) -> None:
    """``lrfr fit`` in a session of its own, its workers started as ever, what it says in a file."""
    from lrfr_lightning.cli.main import main

    os.setsid()
    set_start_method(start_method, force=True)
    os.chdir(folder)
    log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    main(["fit", "--config", "run.yaml", "--ckpt_path", "last"])


def _first_file(folder: Path) -> float:
    """Wait for the first file of a checkpoint; when it came."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if any((folder / "checkpoints").glob("*")):
            return time.monotonic()
        time.sleep(0.002)
    raise RuntimeError(f"no checkpoint within 120 s:\n{(folder / 'log.txt').read_text()}")


def _finish(process: BaseProcess, folder: Path) -> None:
    process.join(120)
    if process.exitcode != 0:
        raise RuntimeError(f"exit code {process.exitcode}:\n{(folder / 'log.txt').read_text()}")


def _outcome(folder: Path) -> dict[str, Any]:
    """What the last checkpoint holds of weights, optimiser and schedule."""
    checkpoint = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    parts = ("global_step", "state_dict", "optimizer_states", "lr_schedulers")
    return {part: checkpoint[part] for part in parts}


def _same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    try:
        torch.testing.assert_close(one, two, rtol=0, atol=0)
    except AssertionError:
        return False
    return bool(one["global_step"] == STEPS)


def _config() -> dict[str, Any]:
    """Dropout, a margin with running statistics, random sides: what a resume could get wrong."""
    checkpoint = {"dirpath": "checkpoints", "filename": "last", "every_n_train_steps": 1,
                  "enable_version_counter": False}  # fmt: skip
    backbone = {"depth": 18, "embedding_dim": 16, "width": 4, "dropout": 0.4}
    margin = {"class_path": "lrfr_lightning.heads.AdaFace", "init_args": {"scale": 16}}
    sides = {"class_path": "lrfr_lightning.transforms.Listed", "init_args": {"sides": [7, 14]}}
    return {
        "seed_everything": 5,
        "trainer": {
            "accelerator": "cpu", "devices": 1, "max_epochs": EPOCHS, "precision": "32-true",
            "accumulate_grad_batches": 2, "logger": False, "enable_progress_bar": False,
            "enable_model_summary": False, "limit_val_batches": 0,
            "callbacks": [{"class_path": "ModelCheckpoint", "init_args": checkpoint}],
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
                                 "init_args": {"resolutions": sides}},
            "augmentation": [{"HorizontalFlip": {"p": 0.5}}],
            "batch_size": 4, "num_workers": 1,
        },
    }  # fmt: skip


def main() -> None:
    """Kill, and write what came of it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--output", type=Path, default=Path("runs/kills.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = kills(Path(folder), options.kills, options.seed)
    summary = {
        "kills": len(found),
        "equal": sum(kill.equal for kill in found),
        "in_a_write": sum(kill.in_a_write for kill in found),
    }
    content = {"machine": describe(), "seed": options.seed, **summary,
               "runs": [asdict(kill) for kill in found]}  # fmt: skip
    with whole_file(options.output) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
