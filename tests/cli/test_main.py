"""The command line from end to end, and its answers to bad input."""

import gc
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from lrfr_lightning.cli.main import COMMANDS, cause, console, main
from lrfr_lightning.datasets import EmbeddedFaces, ImageFolder, RecordIO
from lrfr_lightning.datasets.convert import convert
from lrfr_lightning.embedders import CheckpointEmbedder
from lrfr_lightning.protocols import read_results
from lrfr_lightning.utils.errors import ConfigError, DataError

CONFIG = """
trainer:
  accelerator: cpu
  max_epochs: 1
  limit_train_batches: 2
  num_sanity_val_steps: 0
  enable_progress_bar: false
  logger: {class_path: CSVLogger, init_args: {save_dir: run, name: "", version: ""}}
  callbacks:
    - class_path: lrfr_lightning.callbacks.ProtocolEvaluation
      init_args:
        protocols:
          - class_path: lrfr_lightning.protocols.EmbeddedVerification
            init_args:
              {identities: 20, images_per_identity: 2, pairs_per_fold: 2, resolutions: [14]}
    - class_path: ModelCheckpoint
      init_args: {dirpath: run, filename: last, enable_version_counter: false}
model:
  class_path: lrfr_lightning.tasks.RecognitionTask
  init_args:
    backbone:
      class_path: lrfr_lightning.backbones.IResNet
      init_args: {depth: 18, embedding_dim: 16, width: 4}
    head:
      class_path: lrfr_lightning.heads.MarginHead
      init_args: {margin: {class_path: lrfr_lightning.heads.ArcFace}}
    optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.01}}
data:
  dataset:
    class_path: lrfr_lightning.datasets.ImageFolder
    init_args: {root: faces}
  cross_resolution:
    class_path: lrfr_lightning.transforms.CrossResolution
    init_args:
      resolutions: {class_path: lrfr_lightning.transforms.LogUniform, init_args: {low: 6, high: 32}}
  batch_size: 4
  num_workers: 0
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with faces of five people and a config that trains on them."""
    monkeypatch.chdir(tmp_path)
    convert(EmbeddedFaces(5, 4), "faces", "folder")
    Path("config.yaml").write_text(CONFIG)
    return tmp_path


Change = Callable[[dict[str, Any]], None]


def fit_with(change: Change) -> Any:
    config = yaml.safe_load(Path("config.yaml").read_text())
    change(config)
    Path("changed.yaml").write_text(yaml.safe_dump(config))
    return main(["fit", "--config", "changed.yaml"])


def message(error: pytest.ExceptionInfo[SystemExit], capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    return f"{error.value.code}\n{captured.err}"


def test_help_answers_at_once() -> None:
    start = time.perf_counter()
    command = [sys.executable, "-c", "from lrfr_lightning.cli.main import console; console()"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - start < 1.0
    assert all(name in shown.stdout for name in COMMANDS)


def test_the_library_imports_lightly() -> None:
    code = "import sys, lrfr_lightning.cli.main; print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"


def test_fit_validate_test_predict_evaluate_report(place: Path, capsys: Any) -> None:
    finished = main(["fit", "--config", "config.yaml"])
    assert finished.model.head.classifier.weight.shape == (5, 16)
    assert read_results("run/results.json")[0].resolution == 14
    validated = main(["validate", "--config", "config.yaml", "--ckpt_path", "run/last.ckpt"])
    assert "val/embedded@14/accuracy" in validated.trainer.callback_metrics
    tested = main(["test", "--config", "config.yaml", "--ckpt_path", "run/last.ckpt"])
    accuracy = tested.trainer.callback_metrics["test/embedded@14/accuracy"]
    main(["predict", "--config", "config.yaml", "--ckpt_path", "run/last.ckpt",
          "--trainer.callbacks+=lrfr_lightning.callbacks.EmbeddingWriter"])  # fmt: skip
    with np.load("embeddings.npz") as written:
        assert written["embedding"].shape == (20, 16)
    protocols = yaml.safe_load(CONFIG)["trainer"]["callbacks"][0]["init_args"]["protocols"]
    Path("evaluation.yaml").write_text(yaml.safe_dump({"protocols": protocols}))
    results = main(["evaluate", "--config", "evaluation.yaml", "--checkpoint", "run/last.ckpt"])
    assert read_results("results.json")[0].metrics["auc"] == results[0].metrics["auc"]
    assert results[0].model == "last"
    assert results[0].metrics["accuracy"] == pytest.approx(float(accuracy))
    main(["report", "results.json", "--output", "page"])
    assert "last" in Path("page/report.html").read_text()
    assert "accuracy in %" in capsys.readouterr().out


def test_classes_of_the_users_own_file(place: Path) -> None:
    Path("my_task.py").write_text(
        "from lrfr_lightning.tasks import RecognitionTask\n"
        "class MyTask(RecognitionTask):\n"
        "    def loss(self, embedding, batch):\n"
        "        return super().loss(embedding, batch) + 0.1 * embedding.square().mean()\n"
    )
    finished = fit_with(lambda config: config["model"].update(class_path="my_task.MyTask"))
    assert type(finished.model).__name__ == "MyTask"
    embedder = CheckpointEmbedder("run/last.ckpt", "mine")
    assert embedder.backbone.embedding_dim == 16


def test_convert_and_embedded(tmp_path: Path, capsys: Any) -> None:
    lfw, records = str(tmp_path / "lfw"), str(tmp_path / "records")
    size = ["--identities", "20", "--images_per_identity", "2", "--pairs_per_fold", "2"]
    main(["data", "embedded", lfw, *size])
    main(["data", "convert", f"{lfw}/images", records, "--form", "recordio"])
    main(["data", "convert", records, str(tmp_path / "parquet"), "--form", "parquet"])
    main(
        ["data", "convert", str(tmp_path / "parquet"), str(tmp_path / "again"), "--form", "folder"]
    )
    first, last = ImageFolder(f"{lfw}/images"), ImageFolder(tmp_path / "again")
    assert len(first) == len(RecordIO(records)) == len(last) == 40
    assert all(np.array_equal(first.image(i), last.image(i)) for i in range(0, 40, 7))
    assert "40 images of 20 identities" in capsys.readouterr().out


def empty_class(config: dict[str, Any]) -> None:
    Path("faces/Nobody").mkdir()


def empty_root(config: dict[str, Any]) -> None:
    Path("empty").mkdir()
    config["data"]["dataset"]["init_args"]["root"] = "empty"


def missing_root(config: dict[str, Any]) -> None:
    config["data"]["dataset"]["init_args"]["root"] = "nowhere"


def misspelt_key(config: dict[str, Any]) -> None:
    config["data"]["batchsize"] = 4


def too_large(config: dict[str, Any]) -> None:
    config["data"]["cross_resolution"]["init_args"]["resolutions"]["init_args"]["high"] = 120


def wrong_weights(config: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    from lrfr_lightning.backbones import MobileFaceNet

    save_file(MobileFaceNet().state_dict(), "w.safetensors")
    config["model"]["init_args"]["pretrained"] = "w.safetensors"


def missing_pairs(config: dict[str, Any]) -> None:
    Path("lfw/images").mkdir(parents=True)
    lines = [f"A\t{i}\t{i + 1}" for i in range(1, 11)] + [f"A\t{i}\tB\t1" for i in range(1, 11)]
    Path("lfw/pairs.txt").write_text("\n".join(["10", *lines]))
    protocol = {"class_path": "lrfr_lightning.protocols.LFWVerification",
                "init_args": {"root": "lfw"}}  # fmt: skip
    config["trainer"]["callbacks"][0]["init_args"]["protocols"] = [protocol]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (missing_root, "folder of images not found: expected it at .*nowhere"),
        (empty_root, "no identity folders|expected a folder per identity"),
        (empty_class, "1 .*Nobody"),
        (misspelt_key, "batchsize"),
        (too_large, r"resolution 120 px is larger than the image \(112 px\)"),
        (wrong_weights, r"w.safetensors does not fit IResNet: \d+ missing"),
        (missing_pairs, r"12 of 12 listed images are missing .*A/A_0001.jpg.* and 7 more"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_bad_input_ends_in_one_clear_error_before_training(
    place: Path, capsys: Any, change: Change, expected: str
) -> None:
    with pytest.raises(SystemExit) as error:
        fit_with(change)
    text = message(error, capsys)
    assert re.search(expected, text), text
    assert "Traceback" not in text
    assert not Path("run/last.ckpt").exists()


def test_unknown_command_and_empty_evaluation(capsys: Any) -> None:
    with pytest.raises(SystemExit, match="no command 'train'"):
        main(["train"])
    with pytest.raises(SystemExit, match="expected models of different names, got none"):
        main(["evaluate", "--protocol", "embedded"])


def test_of_lost_workers_the_first_is_named() -> None:
    """The others were killed because of it, which torch raises as an error of its own."""
    try:
        try:
            raise RuntimeError("DataLoader timed out after 600 seconds")
        except RuntimeError:
            raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")  # noqa: B904
    except RuntimeError as error:
        found = cause(error)
    assert isinstance(found, ConfigError)
    assert "is lost (DataLoader timed out after 600 seconds)" in str(found)


def test_the_librarys_own_error_goes_before_the_worker_that_was_lost_over_it() -> None:
    own = DataError("half of the images are unreadable")
    killed = RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")
    killed.__context__ = own
    assert cause(killed) is own


@pytest.mark.parametrize("command", ["--version", "no-such-command"])
def test_no_garbage_is_looked_for_at_the_end(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: ends.append(command))
    monkeypatch.setattr(sys, "argv", ["lrfr", command])
    with suppress(SystemExit):
        console()
    assert ends == [command]
