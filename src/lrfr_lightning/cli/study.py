"""``lrfr study``: many recipes under one budget, over seeds → one table."""

import json
from pathlib import Path
from statistics import fmean
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from lrfr_lightning.cli.command import told
from lrfr_lightning.cli.study_runs import Recipe, Run, lrfr, run_all
from lrfr_lightning.cli.yaml_files import read_yaml
from lrfr_lightning.protocols.result import ProtocolResult, read_results, write_results
from lrfr_lightning.reports.report import write_report
from lrfr_lightning.reports.seeds import mean_over_seeds
from lrfr_lightning.reports.terminal import print_tables
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.paths import existing


def run(args: list[str]) -> list[ProtocolResult]:
    """Train what is not there yet, evaluate, write table and report."""
    options = _parser().parse_args(args[1:])
    recipes = {name: _recipe(name, entry) for name, entry in options.recipes.items()}
    _check_resolution(options)
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    runs = {
        name: [Run(name, recipe, seed, output / name / f"seed{seed}") for seed in options.seeds]
        for name, recipe in recipes.items()
    }
    run_all([own[0] for own in runs.values()], options)
    _repeat_close(runs, options)
    results = [result for name, own in runs.items() for result in _mean_of(name, own)]
    results += _baselines(output / "baselines.json", options.evaluation)
    command = told(args, ("output", "jobs"))
    write_results(output / "results.json", results, _plain(options), command)
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
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        help="runs at once; they share the cores, or have OMP_NUM_THREADS threads each",
    )
    parser.add_argument("--output", required=True, help="folder of all runs and the table")
    return parser


def _recipe(name: str, entry: dict[str, Any]) -> Recipe:
    """An entry of ``recipes``.

    Raises:
        ConfigError: its keys are others than ``config`` and ``options``.
        DataError: its YAML is missing.
    """
    if not {"config"} <= set(entry) <= {"config", "options"}:
        raise ConfigError(
            f"recipe {name!r}: expected config and, if wished, options, got {sorted(entry)}"
        )
    existing(entry["config"], "recipe")
    return Recipe(**entry)


def _check_resolution(options: Namespace) -> None:
    """Refuse a ``close_at`` that the evaluation does not measure, before anything is trained.

    Raises:
        ConfigError: as said.
        DataError: the evaluation's YAML is missing.
    """
    content = read_yaml(options.evaluation, "evaluation")
    protocols = content.get("protocols") or []
    listed = [entry.get("init_args", {}).get("resolutions") for entry in protocols]
    measured = {side for sides in listed for side in sides or ()}
    if listed and all(listed) and options.close_at not in measured:
        raise ConfigError(
            f"close_at: expected a resolution that {options.evaluation} measures "
            f"({sorted(measured, reverse=True)} px), got {options.close_at}"
        )


def _repeat_close(runs: dict[str, list[Run]], options: Namespace) -> None:
    """Run the further seeds of the recipes close to the best, until all that are close have them.

    Further seeds can lower the best mean, and so bring others close.
    """
    while True:
        accuracy = {name: _accuracy(own, options.close_at) for name, own in runs.items()}
        least = max(accuracy.values()) - options.close
        close = [entry for name, own in runs.items() if accuracy[name] >= least for entry in own]
        if all(entry.results.exists() for entry in close):
            return
        run_all(close, options)


def _accuracy(runs: list[Run], resolution: int) -> float:
    """Mean over the runs that have results, on the first protocol at that resolution."""
    measured = [read_results(entry.results) for entry in runs if entry.results.exists()]
    first = [next(r for r in results if r.resolution == resolution) for results in measured]
    return fmean(result.metrics["accuracy"] or 0.0 for result in first)


def _mean_of(name: str, runs: list[Run]) -> list[ProtocolResult]:
    """Mean over the runs that have results."""
    measured = [read_results(entry.results) for entry in runs if entry.results.exists()]
    return mean_over_seeds(measured, name)


def _baselines(target: Path, evaluation: str) -> list[ProtocolResult]:
    """Results of the models that the evaluation itself names; they need no training."""
    if not read_yaml(evaluation, "evaluation").get("models"):
        return []
    if not target.exists():
        args = ["--config", evaluation, "--output", str(target), "--examples", "0"]
        lrfr("baselines", target.parent, 1, "evaluate", *args)
    return read_results(target)


def _plain(options: Namespace) -> dict[str, object]:
    """The study as JSON data, with what each run took and the commit it ran on."""
    told = ("recipes", "options", "evaluation", "seeds", "close", "close_at")
    runs = {
        str(path.parent.relative_to(options.output)): json.loads(path.read_text())
        for path in sorted(Path(options.output).glob("*/seed*/run.json"))
    }
    return {key: value for key, value in options.as_dict().items() if key in told} | {"runs": runs}
