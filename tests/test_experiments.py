"""Every YAML under ``experiments/`` runs, at tiny size, on embedded faces in LFW's layout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from lrfr_lightning.backbones import MobileFaceNet
from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.embedded import verification_pairs, write_lfw_layout
from lrfr_lightning.protocols import read_results

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
TRAINING = sorted(p for p in EXPERIMENTS.rglob("*.yaml") if "evaluation" not in p.parts)
EVALUATION = sorted((EXPERIMENTS / "evaluation").glob("*.yaml"))
SMALL_FACES = {"identities": 20, "images_per_identity": 2}


@pytest.fixture(scope="module")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``LRFR_DATA`` names, in its true layout, with 20 embedded people."""
    root = tmp_path_factory.mktemp("data")
    lfw, faces = root / "lfw-112", EmbeddedFaces(20, 2, "test")
    write_lfw_layout(faces, lfw, verification_pairs(20, 2, 2))
    lines = (lfw / "pairs.txt").read_text().splitlines()[1:]
    ordered = sorted(lines, key=lambda line: line.count("\t"))
    (lfw / "pairsDevTest.txt").write_text("\n".join([str(len(lines) // 2), *ordered]) + "\n")
    people = [f"{name}\t2" for name in faces.identities]
    (lfw / "peopleDevTrain.txt").write_text("\n".join([str(len(people)), *people]) + "\n")
    (root / "weights").mkdir()
    torch.manual_seed(0)
    save_file(MobileFaceNet().state_dict(), root / "weights" / "mobilefacenet-casia.safetensors")
    return root


@pytest.fixture
def run(tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command with a shrunken copy of a YAML, in an empty folder."""
    monkeypatch.setenv("LRFR_DATA", str(tiny_data))
    monkeypatch.chdir(tmp_path)

    def run(command: str, path: Path, *options: str) -> Any:
        (tmp_path / path.name).write_text(yaml.safe_dump(shrink(yaml.safe_load(path.read_text()))))
        return main([command, "--config", path.name, *options])

    return run


def shrink(config: Any) -> Any:
    """The same experiment on next to nothing."""
    if isinstance(config, list):
        return [shrink(entry) for entry in config]
    if not isinstance(config, dict):
        return config
    made = {key: shrink(value) for key, value in config.items()}
    path = str(made.get("class_path", ""))
    if path.endswith("EmbeddedFaces"):
        made["init_args"] |= SMALL_FACES
    if path.endswith("EmbeddedVerification"):
        made["init_args"] |= SMALL_FACES | {"pairs_per_fold": 2}
    if "max_epochs" in made:
        made |= {"max_epochs": 1, "check_val_every_n_epoch": 1, "enable_progress_bar": False}
        made |= {"limit_train_batches": 2, "log_every_n_steps": 1}
    if "batch_size" in made:
        made |= {"batch_size": 4, "num_workers": 0}
    return made


@pytest.mark.parametrize("path", TRAINING, ids=lambda path: path.stem)
def test_training_experiment(run: Callable[..., Any], path: Path) -> None:
    finished = run("fit", path)
    folder = Path(finished.trainer.log_dir)
    assert finished.trainer.global_step == 2
    assert finished.model.head.classifier.weight.shape[0] == finished.datamodule.num_classes == 20
    assert (folder / "config.yaml").exists()
    assert (folder / "batch.png").exists()
    assert (folder / "last.ckpt").exists()
    assert "train/norm_hr" in (folder / "metrics.csv").read_text()


@pytest.mark.parametrize("path", EVALUATION, ids=lambda path: path.stem)
def test_evaluation_experiment(run: Callable[..., Any], path: Path) -> None:
    if path.stem == "quickstart":
        prepare_quickstart(run)
    if path.stem == "lfw_finetuned":
        for name in ("hr_only", "cross_resolution"):
            run("fit", EXPERIMENTS / "lfw" / f"{name}.yaml")
    run("evaluate", path, "--output", "out/results.json")
    results = read_results("out/results.json")
    assert {result.resolution for result in results} == {112, 56, 28, 14, 7}
    assert "raw-pixels" in {result.model for result in results}
    assert all(0 <= result.metrics["accuracy"] <= 1 for result in results)
    main(["report", "out/results.json"])
    assert {"report.html", "report.md", "accuracy.png"} <= {p.name for p in Path("out").iterdir()}


def prepare_quickstart(run: Callable[..., Any]) -> None:
    """What the Makefile does before it evaluates."""
    cross, alone = "runs/quickstart/cross-resolution", "runs/quickstart/hr-only"
    run("fit", EXPERIMENTS / "quickstart.yaml")
    finished = run(
        "fit", EXPERIMENTS / "quickstart.yaml", "--data.cross_resolution", "null",
        "--trainer.default_root_dir", alone, "--trainer.logger.init_args.save_dir", alone,
        "--trainer.callbacks.init_args.dirpath", alone,
    )  # fmt: skip
    assert finished.datamodule.cross_resolution is None
    assert {p.name for p in Path(cross).iterdir()} == {p.name for p in Path(alone).iterdir()}
