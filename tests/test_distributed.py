"""Two processes over gloo give what one gives."""

import json
import sys
from pathlib import Path

import pytest
import yaml
from safetensors.torch import save_file

from lrfr_lightning.backbones import MobileFaceNet
from lrfr_lightning.cli.main import main
from lrfr_lightning.embedders import CheckpointEmbedder, evaluate
from lrfr_lightning.protocols import EmbeddedVerification, write_results
from processes import finish, start

# 40 images x 2 resolutions in batches of 6: uneven, and the last batch is a part
SIZE = {"identities": 20, "images_per_identity": 2, "pairs_per_fold": 2, "resolutions": [112, 14]}


def same_bytes(one: Path, two: Path) -> bool:
    """Compared out of pytest's sight, which takes minutes to tell how long files differ."""
    return one.read_bytes() == two.read_bytes()


def test_evaluate_writes_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    backbone = {"class_path": "lrfr_lightning.backbones.MobileFaceNet"}
    save_file(MobileFaceNet().state_dict(), "w.safetensors")
    protocol = {"class_path": "lrfr_lightning.protocols.EmbeddedVerification", "init_args": SIZE}
    config = {"backbone": backbone, "weights": "w.safetensors", "protocols": [protocol],
              "batch_size": 6, "accelerator": "cpu"}  # fmt: skip
    Path("e.yaml").write_text(yaml.safe_dump(config))
    main(["evaluate", "--config", "e.yaml", "--output", "one.json"])
    main(["evaluate", "--config", "e.yaml", "--output", "two.json", "--devices", "2"])
    assert same_bytes(Path("one.json"), Path("two.json"))


def test_training_and_its_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line as users start it: Lightning launches the second rank by itself."""
    protocol = {"class_path": "lrfr_lightning.protocols.EmbeddedVerification", "init_args": SIZE}
    callbacks = [
        {
            "class_path": "lrfr_lightning.callbacks.ProtocolEvaluation",
            "init_args": {"protocols": [protocol], "name": "last", "batch_size": 6},
        },
        {
            "class_path": "ModelCheckpoint",
            "init_args": {"dirpath": "run", "filename": "{step}", "save_last": True},
        },
    ]
    margin = {"class_path": "lrfr_lightning.heads.ArcFace", "init_args": {"scale": 16}}
    config = {
        "trainer": {
            "accelerator": "cpu", "devices": 2, "strategy": "ddp", "max_epochs": 1,
            "logger": False, "callbacks": callbacks, "enable_progress_bar": False,
        },
        "model": {
            "class_path": "lrfr_lightning.tasks.RecognitionTask",
            "init_args": {
                "backbone": {
                    "class_path": "lrfr_lightning.backbones.IResNet",
                    "init_args": {"depth": 18, "embedding_dim": 16, "width": 4, "dropout": 0.0},
                },
                "head": {
                    "class_path": "lrfr_lightning.heads.MarginHead",
                    "init_args": {"margin": margin},
                },
            },
        },
        "data": {
            "dataset": {
                "class_path": "lrfr_lightning.datasets.EmbeddedFaces",
                "init_args": {"identities": 8, "images_per_identity": 4},
            },
            "batch_size": 4,
            "num_workers": 0,
        },
    }  # fmt: skip
    (tmp_path / "fit.yaml").write_text(yaml.safe_dump(config))
    lrfr = Path(sys.executable).parent / "lrfr"
    finish(start([lrfr, "fit", "--config", "fit.yaml"], tmp_path))
    assert (tmp_path / "run" / "step=4.ckpt").exists()  # 32 images, 2 ranks, batches of 4
    embedder = CheckpointEmbedder(str(tmp_path / "run" / "last.ckpt"))
    alone = evaluate(embedder, EmbeddedVerification(**SIZE), batch_size=6)
    # what the command line adds: its options
    config = json.loads((tmp_path / "results.json").read_text())["config"]
    assert config["trainer"]["devices"] == 2
    monkeypatch.chdir(tmp_path)
    write_results(tmp_path / "alone.json", alone, config)
    assert same_bytes(tmp_path / "results.json", tmp_path / "alone.json")
