"""``lrfr study``: many recipes under one budget, over seeds → one table."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser, Namespace

from lrfr_lightning.protocols.result import ProtocolResult, falling, read_results, write_results
from lrfr_lightning.reports.report import write_report
from lrfr_lightning.reports.seeds import mean_over_seeds
from lrfr_lightning.reports.terminal import print_tables
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing


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


def run(args: list[str]) -> list[ProtocolResult]:
    """Train what is not there yet, evaluate, write table and report."""
    options = _parser().parse_args(args[1:])
    recipes = {name: Recipe(**entry) for name, entry in options.recipes.items()}
    for recipe in recipes.values():
        existing(recipe.config, "recipe")
    existing(options.evaluation, "evaluation")
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    first, *further = options.seeds
    _run_all([Run(n, r, first, output / n / f"seed{first}") for n, r in recipes.items()], options)
    close = _close_to_best({name: output / name / f"seed{first}" for name in recipes}, options)
    again = [Run(n, recipes[n], s, output / n / f"seed{s}") for n in close for s in further]
    _run_all(again, options)
    results = [result for name in recipes for result in _mean_of(name, output / name)]
    results += _baselines(output / "baselines.json", options.evaluation)
    write_results(output / "results.json", results, _plain(options))
    paths = write_report(output / "results.json")
    print_tables(results)
    print(f"results: {output / 'results.json'}\nreport: {paths.html}")
    return results


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="lrfr study",
        description="Trains recipes under one budget, the close ones with several seeds, and "
        "compares them. A run whose results are there is not repeated.",
    )
    parser.add_argument("--config", action="config", help="YAML with any of these options")
    parser.add_argument(
        "--recipes",
        type=dict[str, dict[str, Any]],
        required=True,
        help="name: {config: YAML of lrfr fit, options: [further options]}",
    )
    parser.add_argument(
        "--options",
        type=list[str],
        default=[],
        help="options of lrfr fit that all runs get: the budget",
    )
    parser.add_argument(
        "--evaluation",
        required=True,
        help="YAML of lrfr evaluate: protocols, and models that need no training",
    )
    parser.add_argument(
        "--seeds",
        type=list[int],
        default=[0],
        help="the first for every recipe, the others for the close ones",
    )
    parser.add_argument(
        "--close",
        type=float,
        default=0.01,
        help="how far below the best accuracy is close, 0..1; 1: all are",
    )
    parser.add_argument("--close_at", type=int, default=14, help="at which resolution, px")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once; cores are shared out")
    parser.add_argument("--output", required=True, help="folder of all runs and the table")
    return parser


def _run_all(runs: list[Run], options: Namespace) -> None:
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
    trained = json.loads(noted.read_text()).get("trained")
    if trained != _trained(entry, options):
        raise ConfigError(
            f"{entry.folder} holds results of other options ({trained}), expected "
            f"{_trained(entry, options)}; give another --output, or remove the folder"
        )


def _trained(entry: Run, options: Namespace) -> list[str]:
    """What decides a run's weights besides its seed: the YAML's name and the options."""
    return [entry.recipe.config, *options.options, *entry.recipe.options]


def _run(entry: Run, options: Namespace) -> tuple[Run, float]:
    """Train and evaluate in processes of their own; note time and commit beside the results."""
    entry.folder.mkdir(parents=True, exist_ok=True)
    folder, start = str(entry.folder), time.monotonic()
    who = f"{entry.name}, seed {entry.seed}"
    _lrfr(
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
    measure = ["--config", options.evaluation, "--models", "[]"]
    checkpoint = ["--checkpoint", f"{folder}/last.ckpt", "--output", partial]
    _lrfr(who, entry.folder, options.jobs, "evaluate", *measure, *checkpoint)
    seconds = time.monotonic() - start
    facts = {
        "trained": _trained(entry, options),
        "fit_seconds": round(trained),
        "seconds": round(seconds),
        "commit": _commit(),
        "jobs": options.jobs,
        "cores": os.cpu_count(),
    }
    (entry.folder / "run.json").write_text(json.dumps(facts, indent=1) + "\n")
    os.replace(partial, entry.results)
    return entry, seconds


def _lrfr(who: str, folder: Path, jobs: int, *args: str) -> None:
    """One command of ours, its output in a file of the folder.

    Raises:
        DataError: it failed; the message has its last lines.
    """
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    log = folder / f"{args[0]}.log"
    with log.open("w") as file:
        done = subprocess.run(
            [sys.executable, "-c", "from lrfr_lightning.cli.main import main; main()", *args],
            env=os.environ | {"OMP_NUM_THREADS": threads},
            stdout=file,
            stderr=file,
            check=False,
        )
    if done.returncode:
        last = "\n".join(log.read_text().splitlines()[-5:])
        raise DataError(f"{who}: lrfr {args[0]} failed, see {log}:\n{last}")


def _commit() -> str:
    """The commit of the working folder, ``unknown`` outside a checkout."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def _close_to_best(folders: dict[str, Path], options: Namespace) -> list[str]:
    """Names of the recipes whose first seed is within ``close`` of the best one's accuracy."""
    accuracy = {name: _accuracy(folder, options.close_at) for name, folder in folders.items()}
    best = max(accuracy.values())
    return [name for name in accuracy if accuracy[name] >= best - options.close]


def _accuracy(folder: Path, resolution: int) -> float:
    results = read_results(folder / "results.json")
    for result in results:
        if result.resolution == resolution:
            return result.metrics["accuracy"] or 0.0
    raise ConfigError(
        f"close_at: expected a resolution that the evaluation measures "
        f"({sorted({r.resolution for r in results}, key=falling)} px), got {resolution}"
    )


def _mean_of(name: str, folder: Path) -> list[ProtocolResult]:
    runs = [read_results(path) for path in sorted(folder.glob("seed*/results.json"))]
    return mean_over_seeds(runs, name)


def _baselines(target: Path, evaluation: str) -> list[ProtocolResult]:
    """Results of the models that the evaluation itself names; they need no training."""
    if not yaml.safe_load(Path(evaluation).read_text()).get("models"):
        return []
    if not target.exists():
        args = ["--config", evaluation, "--output", str(target)]
        _lrfr("baselines", target.parent, 1, "evaluate", *args)
    return read_results(target)


def _plain(options: Namespace) -> dict[str, object]:
    """The study as JSON data, with what each run took and the commit it ran on."""
    told = ("recipes", "options", "evaluation", "seeds", "close", "close_at")
    runs = {
        str(path.parent.relative_to(options.output)): json.loads(path.read_text())
        for path in sorted(Path(options.output).glob("*/seed*/run.json"))
    }
    return {key: value for key, value in options.as_dict().items() if key in told} | {"runs": runs}
