"""What a Weights & Biases run receives, offline."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytorch_lightning.loggers import WandbLogger

from lrfr_lightning.callbacks import BatchPreview, MarginStatistics, ProtocolEvaluation
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.transforms import CrossResolution, Listed


def test_offline_run_holds_curves_table_and_picture(
    make_task: Any, make_trainer: Any, faces: Any, protocol: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    logger = WandbLogger(project="test", save_dir=tmp_path, offline=True)
    seen: dict[str, Any] = {}
    log = logger.experiment.log
    monkeypatch.setattr(
        logger.experiment, "log", lambda data, **rest: (seen.update(data), log(data, **rest))[1]
    )
    callbacks = [ProtocolEvaluation([protocol]), BatchPreview(), MarginStatistics()]
    data = FaceDataModule(faces, CrossResolution(Listed([14])), (), 8, num_workers=0)
    make_trainer(logger=logger, callbacks=callbacks, log_every_n_steps=1).fit(make_task(), data)
    logger.experiment.finish()
    assert {"train/loss", "train/norm_lr", "train/cosine_hr", "val/embedded@14/accuracy"} <= {*seen}
    table = next(tmp_path.rglob("*.table.json"))
    content = json.loads(table.read_text())
    assert content["columns"][:2] == ["resolution", "accuracy"]
    assert [row[0] for row in content["data"]] == [112, 14]
    assert next(tmp_path.rglob("media/images/train/*.png")).stat().st_size > 1000
