"""What ``lrfr fit`` survives or says clearly, and ``lrfr replay`` of a step that was not finite."""

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image

from lrfr_lightning.callbacks import NonFiniteGuard
from lrfr_lightning.cli.main import main

OWN = '''
import os, signal, time
import numpy as np
import torch
from torch.utils.data import get_worker_info
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.tasks import RecognitionTask

class Dying(EmbeddedFaces):
    """A worker dies of, or hangs in, its 20th image."""

    how = "SIGKILL"
    read = 0

    def image(self, index):
        self.read += 1
        if get_worker_info() and self.read == 20:
            if self.how == "hang":
                time.sleep(1000)
            os.kill(os.getpid(), getattr(signal, self.how))
        return super().image(index)

class Poisoned(RecognitionTask):
    """No number comes of a batch with image 5."""

    def loss(self, embedding, batch):
        value = super().loss(embedding, batch)
        return value * float("nan") if 5 in batch["index"] else value
'''
FACES = "lrfr_lightning.datasets.EmbeddedFaces"


def config(folder: Path, **changes: Any) -> str:
    """Write a YAML of two epochs of four batches."""
    backbone = {"depth": 18, "embedding_dim": 16, "width": 4, "dropout": 0.4}
    checkpoint = {"dirpath": "run", "filename": "{step}", "every_n_train_steps": 1,
                  "save_top_k": -1}  # fmt: skip
    margin = {"class_path": "lrfr_lightning.heads.ArcFace", "init_args": {"scale": 16}}
    content = {
        "trainer": {
            "accelerator": "cpu", "devices": 1, "max_epochs": 2, "precision": "32-true",
            "logger": False, "enable_progress_bar": False, "enable_model_summary": False,
            "limit_val_batches": 0, "default_root_dir": "run",
            "callbacks": [{"class_path": "ModelCheckpoint", "init_args": checkpoint}],
        },
        "model": {
            "class_path": changes.get("task", "lrfr_lightning.tasks.RecognitionTask"),
            "init_args": {
                "backbone": {"class_path": "lrfr_lightning.backbones.IResNet",
                             "init_args": backbone},
                "head": {"class_path": "lrfr_lightning.heads.MarginHead",
                         "init_args": {"margin": margin}},
                "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.01}},
            },
        },
        "data": {
            "dataset": {"class_path": changes.get("dataset", FACES),
                        "init_args": {"identities": 8, "images_per_identity": 4}},
            "augmentation": [{"HorizontalFlip": {"p": 0.5}}],
            "batch_size": 8, "num_workers": changes.get("workers", 0),
        },
    }  # fmt: skip
    (folder / "fit.yaml").write_text(yaml.safe_dump(content))
    return "fit.yaml"


@pytest.fixture(autouse=True)
def _own_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_faults.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("SIGKILL", "killed by signal: Killed|exited unexpectedly"),
        ("hang", "timed out after 2 sec"),
    ],
)
def test_a_worker_that_dies_or_hangs_ends_the_run_in_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, said: str
) -> None:
    import own_faults

    from lrfr_lightning.datamodules import loader

    monkeypatch.setattr(own_faults.Dying, "how", how)
    monkeypatch.setattr(loader, "_PATIENCE", 2)
    yaml_file = config(tmp_path, dataset="own_faults.Dying", workers=2)
    start = time.monotonic()
    with pytest.raises(SystemExit) as left:
        main(["fit", "--config", yaml_file])
    assert time.monotonic() - start < 20
    message = str(left.value)
    assert message.startswith("lrfr fit: a process that loads data is lost (DataLoader ")
    assert re.search(said, message)
    assert "lower num_workers" in message
    assert len(message.splitlines()) == 1
    saved = sorted(tmp_path.glob("run/step=*.ckpt"))
    assert saved
    if how == "SIGKILL":
        config(tmp_path)
        main(["fit", "--config", yaml_file, "--ckpt_path", str(saved[-1])])
        assert (tmp_path / "run" / "step=8.ckpt").exists()


def test_fit_has_a_guard_and_replay_shows_what_it_found(tmp_path: Path, capsys: Any) -> None:
    import own_faults  # noqa: F401

    yaml_file = config(tmp_path, task="own_faults.Poisoned")
    with pytest.warns(UserWarning, match="loss or gradients are not finite, see run"):
        cli = main(["fit", "--config", yaml_file])
    assert [type(entry) for entry in cli.trainer.callbacks].count(NonFiniteGuard) == 1
    assert all(p.isfinite().all() for p in cli.model.parameters())
    first, second = sorted(
        Path("run").glob("nonfinite-*.json"), key=lambda p: json.loads(p.read_text())["step"]
    )
    step = json.loads(second.read_text())["step"]
    assert step >= 4 > json.loads(first.read_text())["step"]
    capsys.readouterr()
    checkpoint = str(tmp_path / "run" / f"step={step}.ckpt")
    made = main(["replay", str(second), "--config", yaml_file, "--ckpt_path", checkpoint])
    batch = json.loads(second.read_text())["batches"][0]
    # the same images, dropout and weights: the same embeddings
    assert made.embedding_norm[0] == pytest.approx(batch["embedding_norm"], rel=1e-5)
    assert made.batches[0]["index"].tolist() == batch["index"]
    shown = capsys.readouterr().out
    assert f"step {step}, epoch 1, rank 0 of 1" in shown
    assert "loss of batch 0: recorded nan, now nan" in shown
    assert "gradient norm: recorded nan, now nan" in shown
    with Image.open("replay.png") as image:
        assert image.size == (8 * 112, 112)


def test_replay_names_the_module_where_it_begins(tmp_path: Path, capsys: Any) -> None:
    yaml_file = config(tmp_path)
    main(["fit", "--config", yaml_file])
    batch = {"index": [0, 1], "label": [0, 0], "resolution": [112, 112], "loss": 1.0,
             "embedding_norm": []}  # fmt: skip
    record = {"step": 0, "epoch": 0, "first_batch": 0, "rank": 0, "world": 1, "seed": 0,
              "data_seed": 0, "precision": "32-true", "learning_rate": [0.1], "loss_scale": None,
              "gradient_norm": "nan", "batches": [batch]}  # fmt: skip
    Path("step.json").write_text(json.dumps(record))
    made = main(["replay", "step.json", "--config", yaml_file])
    assert made.first_bad is None
    checkpoint = torch.load("run/step=8.ckpt", weights_only=True)
    names = [n for n in checkpoint["state_dict"] if "conv" in n and n.endswith("weight")]
    name = names[len(names) // 2]
    checkpoint["state_dict"][name][0] = float("nan")
    torch.save(checkpoint, "broken.ckpt")
    made = main(["replay", "step.json", "--config", yaml_file, "--ckpt_path", "broken.ckpt"])
    assert made.first_bad == name.removesuffix(".weight")
    for key, value, said in (
        ("data_seed", 3, "data.seed: expected 3 as in the recorded run, got 0"),
        ("batches", [batch | {"label": [0, 1]}], "images 0..1 of another data set"),
        ("batches", [batch | {"index": [0, 10**6]}], "of another data set"),
        ("batches", [], "expected the record of a step, .*no batches"),
        ("batches", [batch | {"index": [0, 1.5]}], "expected the record of a step"),
        ("seed", None, "expected the record of a step"),
    ):
        Path("step.json").write_text(json.dumps(record | {key: value}))
        with pytest.raises(SystemExit, match=said):
            main(["replay", "step.json", "--config", yaml_file])
    with pytest.raises(SystemExit, match="record of a step not found"):
        main(["replay", "none.json", "--config", yaml_file])


def test_a_guard_of_the_user_s_own_wins(tmp_path: Path) -> None:
    import own_faults  # noqa: F401

    yaml_file = config(tmp_path, task="own_faults.Poisoned")
    content = yaml.safe_load(Path(yaml_file).read_text())
    guard = {"class_path": "lrfr_lightning.callbacks.NonFiniteGuard",
             "init_args": {"policy": "stop"}}  # fmt: skip
    content["trainer"]["callbacks"].append(guard)
    Path(yaml_file).write_text(yaml.safe_dump(content))
    with pytest.raises(SystemExit, match="lrfr fit: step .* expected finite ones .policy stop"):
        main(["fit", "--config", yaml_file])
    assert os.listdir("run")
