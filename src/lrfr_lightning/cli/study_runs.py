"""Runs of a study: each trains and evaluates in processes of its own, and is never repeated."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from jsonargparse import Namespace

from lrfr_lightning.protocols.provenance import commits
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import whole_file


@dataclass(frozen=True)
class Recipe:
    """What is trained.

    Attributes:
        config: YAML for ``lrfr fit``; its last callback is the ``ModelCheckpoint`` that writes
            ``last.ckpt``.
        options: further options of ``lrfr fit``, for example ``--model.init_args.alpha=5``.
    """

    config: str
    options: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """One training and its evaluation, in a folder of its own."""

    name: str
    recipe: Recipe
    seed: int
    folder: Path

    @property
    def results(self) -> Path:
        """What it measured; it is there once the run is finished."""
        return self.folder / "results.json"


def run_all(runs: Sequence[Run], options: Namespace) -> None:
    """Run what has no results yet, ``jobs`` at once; the first failure ends it all."""
    for entry in runs:
        _check_same(entry, options)
    waiting = [entry for entry in runs if not entry.results.exists()]
    with ThreadPoolExecutor(options.jobs) as pool:
        for entry, seconds in pool.map(lambda entry: _run(entry, options), waiting):
            print(f"{entry.name}, seed {entry.seed}: {seconds:.0f} s", flush=True)


def _check_same(entry: Run, options: Namespace) -> None:
    """Refuse the results of another recipe or budget that lie where this run's would.

    Raises:
        ConfigError: they do.
    """
    noted = entry.folder / "run.json"
    if not entry.results.exists() or not noted.exists():
        return
    facts = json.loads(noted.read_text())
    trained = facts.get("trained")
    if trained != _trained(entry, options):
        raise ConfigError(
            f"{entry.folder} holds results of other options ({trained}), expected "
            f"{_trained(entry, options)}; give another --output, or remove the folder"
        )
    if facts.get("recipe") != _digest(entry.recipe.config):
        raise ConfigError(
            f"{entry.folder} holds results of {entry.recipe.config} as it was before it changed; "
            "give another --output, or remove the folder"
        )


def _trained(entry: Run, options: Namespace) -> list[str]:
    """What decides a run's weights besides its seed: the YAML's name and the options."""
    return [entry.recipe.config, *options.options, *entry.recipe.options]


def _digest(path: str) -> str:
    """SHA-256 of a file, hexadecimal."""
    return sha256(Path(path).read_bytes()).hexdigest()


def _run(entry: Run, options: Namespace) -> tuple[Run, float]:
    """Train and evaluate in processes of their own; note time and commit beside the results."""
    entry.folder.mkdir(parents=True, exist_ok=True)
    # now: in the hours of a run the folder's files may become others
    begun = {
        "trained": _trained(entry, options),
        "recipe": _digest(entry.recipe.config),
        "commit": commits()["working_folder"] or "unknown",
    }
    folder, start = str(entry.folder), time.monotonic()
    who = f"{entry.name}, seed {entry.seed}"
    lrfr(
        who,
        entry.folder,
        options.jobs,
        "fit",
        "--config",
        *_trained(entry, options),
        f"--seed_everything={entry.seed}",
        f"--data.seed={entry.seed}",
        f"--trainer.default_root_dir={folder}",
        f"--trainer.logger.init_args.save_dir={folder}",
        f"--trainer.callbacks.init_args.dirpath={folder}",
    )
    trained = time.monotonic() - start
    # the file of a run is there only when all of it is done
    partial = f"{folder}/evaluated.json"
    measure = ["--config", options.evaluation, "--models", "[]", "--examples", "0"]
    checkpoint = ["--checkpoint", f"{folder}/last.ckpt", "--output", partial]
    lrfr(who, entry.folder, options.jobs, "evaluate", *measure, *checkpoint)
    seconds = time.monotonic() - start
    facts = begun | {
        "fit_seconds": round(trained),
        "seconds": round(seconds),
        "jobs": options.jobs,
        "cores": os.cpu_count(),
        "threads": _threads(options.jobs),
    }
    with whole_file(entry.folder / "run.json") as note:
        note.write_text(json.dumps(facts, indent=1) + "\n")
    os.replace(partial, entry.results)
    return entry, seconds


def lrfr(who: str, folder: Path, jobs: int, *args: str) -> None:
    """One command of ours, its output in a file of the folder, on its share of the cores.

    Raises:
        DataError: it failed; the message has its last lines.
    """
    log = folder / f"{args[0]}.log"
    with log.open("w") as file:
        done = subprocess.run(
            [sys.executable, "-m", "lrfr_lightning", *args],
            env=os.environ | {"OMP_NUM_THREADS": _threads(jobs)},
            stdout=file,
            stderr=file,
            check=False,
        )
    if done.returncode:
        last = "\n".join(log.read_text().splitlines()[-5:])
        raise DataError(f"{who}: lrfr {args[0]} failed, see {log}:\n{last}")


def _threads(jobs: int) -> str:
    """Of each run; a user who set it has shared the cores out, such as between two studies."""
    return os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // jobs))
