"""``lrfr study``: recipes under one budget, the close ones over several seeds."""

import json
import os
import runpy
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
import yaml
from jsonargparse import Namespace

from in_process import in_process
from lrfr_lightning.cli import study_runs
from lrfr_lightning.cli.main import main
from lrfr_lightning.protocols import ProtocolResult, read_results, write_results
from lrfr_lightning.reports.seeds import mean_over_seeds
from lrfr_lightning.utils.errors import DataError

PROTOCOL: dict[str, Any] = {
    "class_path": "lrfr_lightning.protocols.EmbeddedVerification",
    "init_args": {"identities": 20, "images_per_identity": 2, "pairs_per_fold": 2,
                  "resolutions": [112, 14]},
}  # fmt: skip


def recipe(margin: str) -> dict[str, Any]:
    backbone = {"depth": 18, "embedding_dim": 16, "width": 4, "dropout": 0.0}
    head = {"margin": {"class_path": f"lrfr_lightning.heads.{margin}", "init_args": {"scale": 16}}}
    return {
        "trainer": {
            "accelerator": "cpu", "max_steps": 2, "limit_val_batches": 0,
            "enable_progress_bar": False,
            "logger": {"class_path": "CSVLogger",
                       "init_args": {"save_dir": "x", "name": "", "version": ""}},
            "callbacks": [{"class_path": "ModelCheckpoint",
                           "init_args": {"filename": "last", "enable_version_counter": False}}],
        },
        "model": {
            "class_path": "lrfr_lightning.tasks.RecognitionTask",
            "init_args": {
                "backbone": {"class_path": "lrfr_lightning.backbones.IResNet",
                             "init_args": backbone},
                "head": {"class_path": "lrfr_lightning.heads.MarginHead", "init_args": head},
                "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.01}},
            },
        },
        "data": {
            "dataset": {"class_path": "lrfr_lightning.datasets.EmbeddedFaces",
                        "init_args": {"identities": 8, "images_per_identity": 4}},
            "batch_size": 4, "num_workers": 0,
        },
    }  # fmt: skip


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    for margin in ("ArcFace", "CosFace"):
        Path(f"{margin}.yaml").write_text(yaml.safe_dump(recipe(margin)))
    raw = {"class_path": "lrfr_lightning.embedders.RawPixels"}
    measured = {"models": [raw], "protocols": [PROTOCOL], "accelerator": "cpu"}
    Path("eval.yaml").write_text(yaml.safe_dump(measured))
    return {
        "recipes": {
            "arc": {"config": "ArcFace.yaml"},
            "cos": {"config": "CosFace.yaml", "options": ["--data.batch_size=8"]},
        },
        "options": ["--trainer.max_steps=1"],
        "evaluation": "eval.yaml",
        "seeds": [0, 1], "close": 1.0, "jobs": 2, "output": "out",
    }  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves its runs, which the others go on from."""
    return tmp_path_factory.mktemp("finished")


@pytest.fixture
def done(study: dict[str, Any], finished: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The study, with all its runs trained and measured."""
    in_process(monkeypatch)
    study["jobs"] = 1
    if not any(finished.iterdir()):
        run(study)
        copytree("out", finished, dirs_exist_ok=True)
    else:
        copytree(finished, "out")
    return study


def run(study: dict[str, Any]) -> list[ProtocolResult]:
    Path("study.yaml").write_text(yaml.safe_dump(study))
    results: list[ProtocolResult] = main(["study", "--config", "study.yaml"])
    return results


def test_two_recipes_two_seeds_and_again(done: dict[str, Any]) -> None:
    study = done
    results = run(study)
    assert [r.model for r in results] == ["arc", "arc", "cos", "cos", "raw-pixels", "raw-pixels"]
    assert [r.counts.get("seeds") for r in results] == [2, 2, 2, 2, None, None]
    alone = [read_results(f"out/arc/seed{seed}/results.json") for seed in (0, 1)]
    for result, one, other in zip(results, *alone, strict=False):
        pair = [one.metrics["accuracy"], other.metrics["accuracy"]]
        assert result.metrics["accuracy"] == pytest.approx(np.mean(pair))
        assert result.metrics["accuracy_seed_std"] == pytest.approx(np.std(pair, ddof=1))
    written = json.loads(Path("out/results.json").read_text())
    assert written["config"]["runs"].keys() == {
        "arc/seed0", "arc/seed1", "cos/seed0", "cos/seed1"
    }  # fmt: skip
    given = yaml.safe_load(Path("out/cos/seed1/config.yaml").read_text())
    assert (given["seed_everything"], given["data"]["seed"]) == (1, 1)
    assert given["trainer"]["max_steps"] == 1
    assert given["data"]["batch_size"] == 8
    assert {"report.html", "report.md", "accuracy.png"} <= {p.name for p in Path("out").iterdir()}
    with pytest.raises(SystemExit, match="holds results of other options .* give another --output"):
        run(study | {"options": ["--trainer.max_steps=2"]})
    Path("ArcFace.yaml").write_text(yaml.safe_dump(recipe("CosFace")))
    with pytest.raises(SystemExit, match=r"results of ArcFace.yaml as it was before it changed"):
        run(study)
    Path("ArcFace.yaml").write_text(yaml.safe_dump(recipe("ArcFace")))
    # what is there is not trained again
    stamp = Path("out/arc/seed0/last.ckpt").stat().st_mtime_ns
    assert run(study) == results
    assert Path("out/arc/seed0/last.ckpt").stat().st_mtime_ns == stamp


def pretend(name: str, seed: int, accuracy: float) -> None:
    """Set a run's accuracy; under the control the contrary, which must decide nothing."""
    path = Path("out") / name / f"seed{seed}" / "results.json"
    changed = [
        replace(r, metrics={"accuracy": accuracy if r.control == "none" else 1 - accuracy})
        for r in read_results(path)
    ]
    write_results(path, changed)


def test_only_close_recipes_get_further_seeds(
    study: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_process(monkeypatch)
    study["jobs"] = 1
    grey = {**PROTOCOL, "init_args": {**PROTOCOL["init_args"], "control": "grey"}}
    Path("eval.yaml").write_text(yaml.safe_dump({"protocols": [PROTOCOL, grey]}))
    run(study | {"seeds": [0]})
    pretend("arc", 0, 0.20)
    pretend("cos", 0, 0.94)
    run(study | {"close": 0.03})
    assert not Path("out/arc/seed1").exists()
    assert Path("out/cos/seed1/results.json").exists()
    # further seeds can bring the best mean down, and so another one close
    pretend("cos", 0, 0.20)
    pretend("cos", 1, 0.24)
    run(study | {"close": 0.03})
    assert Path("out/arc/seed1/results.json").exists()


def test_seeds_that_are_not_asked_for_are_no_part_of_the_mean(done: dict[str, Any]) -> None:
    assert [r.counts.get("seeds") for r in run(done | {"seeds": [1]})][:4] == [1] * 4


def test_a_broken_plan_ends_before_any_run(study: dict[str, Any]) -> None:
    broken = {"arc": {"config": "ArcFace.yaml", "optoins": []}}
    with pytest.raises(SystemExit, match=r"recipe 'arc': expected config .* 'optoins'"):
        run(study | {"recipes": broken})
    with pytest.raises(SystemExit, match=r"eval.yaml measures .*\[112, 14\] px.*, got 7"):
        run(study | {"close_at": 7})
    assert not Path("out").exists()


def test_a_failed_run_is_named_and_repeated_next_time(study: dict[str, Any]) -> None:
    study["recipes"]["cos"]["options"] = ["--model.init_args.nonsense=1"]
    with pytest.raises(
        SystemExit, match=r"cos, seed 0: lrfr fit failed, see out/cos/seed0/fit.log"
    ):
        run(study | {"seeds": [0]})
    assert Path("out/arc/seed0/last.ckpt").exists()
    assert not Path("out/cos/seed0/results.json").exists()


def test_runs_measured_differently_are_no_mean() -> None:
    entry = ProtocolResult(
        "last", "embedded", "standard", 14, "both", "k", "k", False, {"accuracy": 0.5}, {}
    )
    with pytest.raises(DataError, match="m: its runs were measured on different protocols"):
        mean_over_seeds([[entry], [replace(entry, control="grey")]], "m")


def test_its_processes_are_the_console_scripts(tmp_path: Path, monkeypatch: Any) -> None:
    """Which use freed memory again; without that half of a training step went to the kernel."""
    asked: list[list[str]] = []

    def start(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", start)
    study_runs.lrfr("arc", tmp_path, 1, "--version")
    assert asked == [[sys.executable, "-m", "lrfr_lightning", "--version"]]
    kept: list[bool] = []
    monkeypatch.setattr("lrfr_lightning.cli.main.keep_freed_memory", lambda: kept.append(True))
    monkeypatch.setattr(sys, "argv", ["lrfr", "--version"])
    runpy.run_module("lrfr_lightning", run_name="__main__")
    assert kept == [True]


@pytest.mark.parametrize(
    ("asked", "jobs", "given"), [(None, 1, "6"), (None, 4, "1"), ("2", 1, "2")]
)
def test_runs_share_the_cores_unless_the_user_did(
    tmp_path: Path, monkeypatch: Any, asked: str | None, jobs: int, given: str
) -> None:
    threads: list[str] = []

    def start(command: list[str], env: Any, **_: Any) -> subprocess.CompletedProcess[bytes]:
        threads.append(env["OMP_NUM_THREADS"])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", start)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    study_runs.lrfr("arc", tmp_path, jobs, "--version")
    assert threads == [given]


def test_a_run_is_of_the_commit_and_recipe_that_it_began_with(
    study: dict[str, Any], monkeypatch: Any
) -> None:
    """Both may become others while it trains."""
    now = {"working_folder": "before"}
    monkeypatch.setattr(study_runs, "commits", lambda: now)

    def train(who: str, folder: Path, jobs: int, command: str, *args: str) -> None:
        if command == "fit":
            Path("ArcFace.yaml").write_text(yaml.safe_dump(recipe("CosFace")))
            now["working_folder"] = "after"
        else:
            Path(args[-1]).write_text("{}")

    monkeypatch.setattr(study_runs, "lrfr", train)
    digest = sha256(Path("ArcFace.yaml").read_bytes()).hexdigest()
    run = study_runs.Run("arc", study_runs.Recipe("ArcFace.yaml"), 0, Path("out"))
    study_runs.run_all([run], Namespace(jobs=1, options=[], evaluation="eval.yaml"))
    noted = json.loads(Path("out/run.json").read_text())
    assert (noted["commit"], noted["recipe"]) == ("before", digest)
    assert noted["threads"] == os.environ["OMP_NUM_THREADS"]
