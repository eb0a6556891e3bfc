"""Memory, files and processes of a long run: ``LRFR_DATA=... python -m benchmarks.long_run``.

5,000 optimiser steps of ``lrfr fit`` on the faces of LFW's DevTrain people, with four workers, a
CSV log and a checkpoint every 100 steps. The network is small, so that what leaks in the input, the
loop or the checkpoints is not lost in its activations.
"""

import argparse
import gc
import json
import os
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import yaml

from benchmarks.input_memory import Watch, tenths
from benchmarks.machine import describe
from lrfr_lightning.cli.main import main as lrfr
from lrfr_lightning.utils.memory import keep_freed_memory
from lrfr_lightning.utils.paths import whole_file

WORKERS, EVERY = 4, 25


class MemoryWatch(Watch):
    """Writes what it measured into a file, for who started the command."""

    def __init__(self, path: str) -> None:
        super().__init__(EVERY)
        self.path = Path(path)

    def on_train_end(self, *_: Any) -> None:
        """Write."""
        self.path.write_text(json.dumps(self.seen))


def long_run(folder: Path, steps: int) -> dict[str, Any]:
    """Train in this process; what it held while it ran and afterwards.

    Returns:
        Memory of the process and its workers, MB, in the second and the last tenth; open files and
        child processes that were not there before the run.
    """
    config = folder / "run.yaml"
    config.write_text(yaml.safe_dump(_config(folder, steps)))
    files, processes, start = _open_files(), _children(), time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the machine may have fewer cores than workers
        lrfr(["fit", "--config", str(config)])
    seconds = time.monotonic() - start
    gc.collect()  # what nobody holds any more, but in a circle, is not left open
    seen = json.loads((folder / "memory.json").read_text())
    return {
        "steps": steps,
        "seconds": round(seconds),
        **_summary(seen),
        "files_left_open": sorted(set(_open_files()) - set(files)),
        "processes_left": sorted(set(_children()) - set(processes)),
    }


def _summary(seen: list[float]) -> dict[str, Any]:
    """The second tenth beside the last, and one value from each."""
    second, last = tenths(seen)
    return {
        "second_tenth_mb": round(second, 1),
        "last_tenth_mb": round(last, 1),
        "growth": round(last / second - 1, 4),
        "every_tenth_mb": [round(value, 1) for value in seen[:: max(1, len(seen) // 10)]],
    }


def _open_files() -> list[str]:
    """What the open descriptors of this process lead to."""
    folder, found = "/proc/self/fd", []
    for number in os.listdir(folder):
        try:
            found.append(f"{number} {os.readlink(f'{folder}/{number}')}")
        except FileNotFoundError:
            continue  # the one that listed the folder
    return found


def _children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def _config(folder: Path, steps: int) -> dict[str, Any]:
    """Batches of eight, half of each at 6 to 32 px."""
    checkpoint = {"dirpath": str(folder), "filename": "last", "every_n_train_steps": 100,
                  "enable_version_counter": False}  # fmt: skip
    sides = {"class_path": "lrfr_lightning.transforms.LogUniform",
             "init_args": {"low": 6, "high": 32}}  # fmt: skip
    margin = {"class_path": "lrfr_lightning.heads.AdaFace"}
    return {
        "trainer": {
            "accelerator": "cpu", "devices": 1, "max_epochs": -1, "max_steps": steps,
            "enable_progress_bar": False, "enable_model_summary": False, "limit_val_batches": 0,
            "default_root_dir": str(folder),
            "logger": {"class_path": "CSVLogger", "init_args": {"save_dir": str(folder)}},
            "callbacks": [
                {"class_path": "benchmarks.long_run.MemoryWatch",
                 "init_args": {"path": str(folder / "memory.json")}},
                {"class_path": "lrfr_lightning.callbacks.MarginStatistics"},
                {"class_path": "ModelCheckpoint", "init_args": checkpoint},
            ],
        },
        "model": {"class_path": "lrfr_lightning.tasks.RecognitionTask", "init_args": {
            "backbone": {"class_path": "lrfr_lightning.backbones.IResNet",
                         "init_args": {"depth": 18, "embedding_dim": 64, "width": 4}},
            "head": {"class_path": "lrfr_lightning.heads.MarginHead",
                     "init_args": {"margin": margin}},
            "optimizer": {"class_path": "torch.optim.SGD",
                          "init_args": {"lr": 0.01, "momentum": 0.9}},
        }},
        "data": {
            "dataset": {"class_path": "lrfr_lightning.datasets.LFWPeople",
                        "init_args": {"root": "${LRFR_DATA}/lfw-112",
                                      "people": "peopleDevTrain.txt"}},
            "cross_resolution": {"class_path": "lrfr_lightning.transforms.CrossResolution",
                                 "init_args": {"resolutions": sides, "share": 0.5}},
            "augmentation": [{"HorizontalFlip": {"p": 0.5}}],
            "batch_size": 8, "num_workers": WORKERS,
        },
    }  # fmt: skip


def main() -> None:
    """Run, and write what was measured as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_run", description=__doc__)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--output", type=Path, default=Path("runs/long_run.json"))
    options = parser.parse_args()
    keep_freed_memory()  # as the console script does
    with tempfile.TemporaryDirectory() as folder:
        found = long_run(Path(folder), options.steps)
    with whole_file(options.output) as partial:
        partial.write_text(json.dumps({"machine": describe(), **found}, indent=1) + "\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
