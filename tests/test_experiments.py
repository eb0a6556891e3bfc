"""Every YAML under ``experiments/`` runs, at tiny size, on embedded faces in the true layouts."""

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any
from unittest.mock import Mock

import pytest
import torch
import yaml
from safetensors.torch import save_file

from in_process import in_process
from lrfr_lightning.backbones import MobileFaceNet
from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.convert import convert
from lrfr_lightning.datasets.embedded import (
    verification_pairs,
    write_ijbc_layout,
    write_lfw_layout,
    write_scface_layout,
    write_survface_layout,
    write_tinyface_layout,
)
from lrfr_lightning.protocols import read_results
from lrfr_lightning.tasks.checkpoint import load_backbone
from lrfr_lightning.transforms.pixel_spec import PixelSpec

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
OTHERS = {"evaluation", "studies"}
TRAINING = sorted(p for p in EXPERIMENTS.rglob("*.yaml") if OTHERS.isdisjoint(p.parts))
RESOLVERS = [path for path in TRAINING if path.stem.startswith("resolver")]
STUDIES = sorted((EXPERIMENTS / "studies").glob("*.yaml"))
EVALUATION = sorted((EXPERIMENTS / "evaluation").glob("*.yaml"))
NATIVE: dict[str, int | None] = {"survface": None, "scface": None, "tinyface": None, "ijbc": 112}
"""Data sets with images of their own resolution, and how they are shown."""
STAND_INS = {"casia": "arcface.yaml", "lfw": "arcface.yaml"}
"""Whose checkpoint stands for those of its folder."""
SMALL_FACES = {"identities": 20, "images_per_identity": 2}
SMALL_TRAINER = {
    "accelerator": "cpu", "devices": 1, "strategy": "auto", "enable_progress_bar": False,
    "max_epochs": 1, "check_val_every_n_epoch": 1, "limit_train_batches": 2,
    "log_every_n_steps": 1,
}  # fmt: skip
SMALL_PIXELS = {"size": [28, 24], "fit": "resize"}
SMALL_IRESNET = {"depth": 18, "width": 4, "embedding_dim": 16}


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
    if path.endswith("LFWHeldOut"):
        made["init_args"] |= {"people": "people.txt"}
    if path.endswith("IResNet"):
        pixels = made["init_args"].get("pixel_spec", {}) | {"size": [28, 28], "fit": "resize"}
        made["init_args"] |= SMALL_IRESNET | {"pixel_spec": pixels}
    if path.endswith("MobileFaceNet"):
        made["init_args"] = made.get("init_args", {}) | {"pixel_spec": SMALL_PIXELS}
    if path.endswith("ResolverNetwork"):
        made["init_args"] = {"width": 12, "blocks": 1}
    if path.endswith("WandbLogger"):
        # tests/callbacks/test_wandb.py writes an offline run; here WANDB_MODE says disabled
        made["init_args"] |= {"offline": False}
    if "max_epochs" in made:
        made |= SMALL_TRAINER
    small = {"batch_size": 4, "images_per_identity": 2, "num_workers": 0}
    # compiling takes longer than all the rest; channels_last says why not for so few channels
    small |= {"fused_prelu": False, "channels_last": False}
    if made.get("precision") == "16-mixed":
        del made["precision"]  # fp16 is for GPUs; without one it is the CPU's own
    return made | {key: value for key, value in small.items() if key in made}


def small_copy(path: Path) -> str:
    """A shrunken copy of a YAML in the current folder; its name."""
    small = Path(f"{path.parent.name}-{path.name}")
    small.write_text(yaml.safe_dump(shrink(yaml.safe_load(path.read_text()))))
    return small.name


def entries(config: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, however deep."""
    for key, value in config.items() if isinstance(config, dict) else enumerate(config):
        yield str(key), value
        if isinstance(value, dict | list):
            yield from entries(value)


def made_by(checkpoint: str) -> Path | None:
    """The training YAML that writes a checkpoint."""
    return next((p for p in TRAINING if folder_of(p) == Path(checkpoint).parent), None)


def folder_of(training: Path) -> Path:
    """Where a training YAML has its checkpoints written."""
    found = dict(entries(yaml.safe_load(training.read_text())))
    return Path(found["dirpath"])


@pytest.fixture(scope="module")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``LRFR_DATA`` names, and ``casia``, in their true layouts, with 20 people each."""
    root = tmp_path_factory.mktemp("data")
    # 200 people lie there, so that a tenth of them has folds; the other lists name the first 20
    lfw, faces = root / "lfw-112", EmbeddedFaces(200, 2, "test")
    write_lfw_layout(faces, lfw, verification_pairs(20, 2, 2))
    lines = (lfw / "pairs.txt").read_text().splitlines()[1:]
    ordered = sorted(lines, key=lambda line: line.count("\t"))
    (lfw / "pairsDevTest.txt").write_text("\n".join([str(len(lines) // 2), *ordered]) + "\n")
    people = [f"{name}\t2" for name in faces.identities]
    for name, listed in (("people", people), ("peopleDevTrain", people[:20])):
        (lfw / f"{name}.txt").write_text("\n".join([str(len(listed)), *listed]) + "\n")
    (root / "weights").mkdir()
    torch.manual_seed(0)
    network = MobileFaceNet(pixel_spec=PixelSpec(size=(28, 24), fit="resize"))
    save_file(network.state_dict(), root / "weights" / "mobilefacenet-casia.safetensors")
    convert(EmbeddedFaces(20, 2, "train"), root / "casia", "recordio")
    write_native_sets(EmbeddedFaces(20, 2, "test"), root)
    return root


def write_native_sets(faces: EmbeddedFaces, root: Path) -> None:
    """The sets that the protocols of surveillance and of templates read."""
    for name in NATIVE:
        (root / name).mkdir()
    write_survface_layout(faces, root / "survface", verification_pairs(20, 2, 2))
    write_scface_layout(faces, root / "scface")
    write_tinyface_layout(faces, root / "tinyface")
    write_ijbc_layout(faces, root / "ijbc")


@pytest.fixture(scope="module")
def run(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Runs a command with a shrunken copy of a YAML, in a folder that all of them share."""
    folder = tmp_path_factory.mktemp("runs")
    finished: dict[tuple[str, ...], Any] = {}

    def run(command: str, path: Path, *options: str) -> Any:
        """The same command once only; the checkpoints that a YAML names are made before it."""
        key = (command, str(path), *options)
        if key not in finished:
            for _, value in entries(yaml.safe_load(path.read_text())):
                if str(value).endswith(".ckpt") and not Path(value).exists():
                    provide(value)
            finished[key] = main([command, "--config", small_copy(path), *options])
        return finished[key]

    def provide(checkpoint: str) -> None:
        """Train a checkpoint; of recognisers one in a folder of YAMLs stands for the others.

        Their backbones are the same, and that each can be opened is tested where it is trained.
        """
        maker = made_by(checkpoint)
        assert maker, f"no YAML writes {checkpoint}"
        alone = maker in RESOLVERS or maker.parent.name not in STAND_INS
        trained = maker if alone else maker.parent / STAND_INS[maker.parent.name]
        run("fit", trained)
        if trained != maker:
            Path(checkpoint).parent.mkdir(parents=True, exist_ok=True)
            copyfile(folder_of(trained) / "last.ckpt", checkpoint)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LRFR_DATA", str(tiny_data))
        patch.setenv("LFW", str(tiny_data / "lfw-112"))
        patch.setenv("CASIA", str(tiny_data / "casia"))
        for name in NATIVE:
            patch.setenv(name.upper(), str(tiny_data / name))
        patch.setenv("WANDB_MODE", "disabled")
        patch.chdir(folder)
        yield run


def named(path: Path) -> str:
    return "/".join(path.relative_to(EXPERIMENTS).with_suffix("").parts)


@pytest.mark.parametrize("path", RESOLVERS, ids=named)
def test_resolver_experiment(run: Callable[..., Any], path: Path) -> None:
    finished = run("fit", path)
    folder, logged = Path(finished.trainer.log_dir), finished.trainer.callback_metrics
    assert finished.trainer.global_step == 2
    assert finished.model.resolver.tail[0].weight.abs().max() > 0
    assert ("train/identity" in logged) == (finished.model.identity_weight > 0)
    assert all(math.isfinite(value) for value in logged.values())
    assert {"config.yaml", "batch.png", "last.ckpt"} <= {entry.name for entry in folder.iterdir()}


def test_resolvers_differ_in_the_weight_of_identity_alone() -> None:
    one, other = (path.read_text().replace(f"lfw/{path.stem}", "NAME") for path in RESOLVERS)
    assert yaml.safe_load(one.replace("identity_weight: 1", "identity_weight: 0")) == (
        yaml.safe_load(other)
    )


@pytest.mark.parametrize("path", [p for p in TRAINING if p not in RESOLVERS], ids=named)
def test_training_experiment(run: Callable[..., Any], path: Path) -> None:
    finished = run("fit", path)
    folder, logged = Path(finished.trainer.log_dir), finished.trainer.callback_metrics
    assert finished.trainer.global_step == 2
    assert finished.model.head.classifier.weight.shape[0] == finished.datamodule.num_classes == 20
    assert (folder / "config.yaml").exists()
    assert (folder / "batch.png").exists()
    opened = load_backbone(folder / "last.ckpt").state_dict()
    assert opened.keys() == finished.model.backbone.state_dict().keys()
    assert {"train/loss", "train/norm_hr"} <= set(logged)
    assert all(math.isfinite(value) for value in logged.values())


@pytest.mark.parametrize("path", sorted((EXPERIMENTS / "casia").glob("*.yaml")), ids=named)
def test_casia_models_differ_in_their_method_alone(path: Path) -> None:
    assert common(path) == common(path.with_name("arcface.yaml"))


def common(path: Path) -> Any:
    """What all of them share: the trainer but for its epochs, and the data but for the views."""
    text = path.read_text().replace(path.stem.replace("_", "-"), "NAME")
    config = yaml.safe_load(text.replace(", setting: deck", ""))
    del config["trainer"]["max_epochs"]
    data = {key: config["data"][key] for key in ("dataset", "augmentation", "num_workers")}
    return config["seed_everything"], config["trainer"], data


@pytest.mark.parametrize("path", EVALUATION, ids=named)
def test_evaluation_experiment(run: Callable[..., Any], path: Path) -> None:
    if path.stem == "quickstart":
        prepare_quickstart(run)
    output = Path("out") / path.stem
    run("evaluate", path, "--output", str(output / "results.json"))
    results = read_results(output / "results.json")
    asked = yaml.safe_load(path.read_text()).get("resolutions", [112, 56, 28, 14, 7])
    shown = {NATIVE[path.stem]} if path.stem in NATIVE else set(asked)
    assert {result.resolution for result in results} == shown
    assert path.stem == "ijbc" or "raw-pixels" in {result.model for result in results}
    values = [value for result in results for value in result.metrics.values()]
    assert all(0 <= value <= 1 for value in values if value is not None)
    # of verification on pairs one stands for all: tests/reports draws controls, matrices and floors
    if path.stem in {"quickstart", *NATIVE}:
        main(["report", str(output / "results.json")])
        assert {"report.html", "report.md", "accuracy.png"} <= set(os.listdir(output))


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("path", STUDIES, ids=named)
def test_study(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first and last recipe, one seed, at tiny size; all of them name YAMLs that are tested."""
    in_process(monkeypatch)
    monkeypatch.setattr("lrfr_lightning.cli.study.write_report", lambda *_: Mock())
    study = yaml.safe_load(path.read_text())
    recipes = study["recipes"]
    root = EXPERIMENTS.parent
    assert {root / recipe["config"] for recipe in recipes.values()} <= set(TRAINING)
    assert root / study["evaluation"] in EVALUATION
    for recipe in recipes.values():
        options = [*study.get("options", []), *recipe.get("options", [])]
        if options:  # each of them is understood
            config = small_copy(root / recipe["config"])
            with pytest.raises(SystemExit, match="^0$"):
                main(["fit", "--config", config, *options, "--print_config"])
    chosen = {name: recipes[name] for name in (next(iter(recipes)), list(recipes)[-1])}
    for recipe in chosen.values():
        recipe["config"] = small_copy(root / recipe["config"])
    evaluation = small_copy(root / study["evaluation"])
    study |= {"recipes": chosen, "evaluation": evaluation, "seeds": [0], "jobs": 1}
    Path("study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    results = main(["study", "--config", "study.yaml"])
    assert [*chosen, "pretrained", "raw-pixels"] == list(dict.fromkeys(r.model for r in results))
    assert {result.control for result in results} == {"none", "grey-inner"}


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
