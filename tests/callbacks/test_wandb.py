"""What a Weights & Biases run receives, offline."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import wandb
from PIL import Image
from pytorch_lightning.loggers import WandbLogger

from lrfr_lightning.callbacks import BatchPreview, MarginStatistics, ProtocolEvaluation, dashboard
from lrfr_lightning.callbacks.dashboard import log_results
from lrfr_lightning.callbacks.evaluation import metrics
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.transforms import CrossResolution, Listed


@pytest.fixture
def logger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WandbLogger:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    return WandbLogger(project="test", save_dir=tmp_path, offline=True)


def read_table(folder: Path, key: str) -> dict[str, Any]:
    """The one table of a run under a key."""
    (path,) = (p for p in folder.rglob("*.table.json") if f"/media/table/{key}" in p.as_posix())
    return dict(json.loads(path.read_text()))


def pictures(folder: Path, key: str) -> list[tuple[int, int]]:
    """Sizes of the pictures of a run under a key, as files hold them."""
    found = []
    for path in sorted(folder.rglob("*.png")):
        if f"/media/images/{key}_" in path.as_posix():
            with Image.open(path) as image:
                image.verify()
                found.append(image.size)
    return found


def test_offline_run_holds_curves_table_and_picture(
    make_task: Any, make_trainer: Any, faces: Any, protocol: Any, tmp_path: Path,
    logger: WandbLogger, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
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
    content = read_table(tmp_path, "val/embedded-standard_")
    assert content["columns"][:2] == ["resolution", "accuracy"]
    assert [row[0] for row in content["data"]] == [112, 14]
    roc = read_table(tmp_path, "val/embedded-standard/ROC_table_")
    assert roc["columns"] == ["far", "tar", "shown"]
    assert {row[2] for row in roc["data"]} == {"112 px", "14 px"}
    for name in ("resolutions", "scores", "quality"):
        assert len(pictures(tmp_path, f"val/embedded-standard/{name}")) == 1
    # four pairs above each other at each resolution
    for kind in ("genuine", "impostor"):
        assert pictures(tmp_path, f"val/embedded-standard/hardest-{kind}") == [(224, 448)] * 2
    assert next(tmp_path.rglob("media/images/train/*.png")).stat().st_size > 1000


def test_offline_run_holds_every_figure_curve_and_hard_pair(
    full: Any, logger: WandbLogger, tmp_path: Path
) -> None:
    own = [result for result in full if result.model == "base"]
    log_results(SimpleNamespace(loggers=[logger]), own, "val")  # type: ignore[arg-type]
    logger.experiment.finish()
    lfw, search = "val/lfw-devtest-standard-degraded-", "val/survface-open-standard-degraded-"
    both, first = f"{lfw}both-images", f"{search}first-image"
    matrix = f"{lfw}probe-and-gallery-each-by-its-own-resolution"
    table = read_table(tmp_path, f"{both}_")
    assert table["columns"] == ["resolution", *own[0].metrics, "gallery", "control"]
    assert [(row[0], row[-1]) for row in table["data"]] == [
        (112, "none"), (7, "none"), (112, "grey"), (7, "grey"),
    ]  # fmt: skip
    assert [row[-2] for row in read_table(tmp_path, f"{matrix}_")["data"]] == ["112", "7"] * 2
    for key, columns in (
        (f"{both}/ROC", ["far", "tar", "shown"]),
        (f"{first}/CMC", ["rank", "cmc", "shown"]),
        (f"{first}/DET", ["fpir", "fnir", "shown"]),
    ):
        assert read_table(tmp_path, f"{key}_table_")["columns"] == columns
    for name in ("resolutions", "scores", "quality"):
        ((width, height),) = pictures(tmp_path, f"{both}/{name}")
        assert min(width, height) > 200
    assert len(pictures(tmp_path, f"{matrix}/matrix-none")) == 1
    # two pairs above each other at each resolution; the control's are equal, which makes one file
    assert pictures(tmp_path, f"{both}/hardest-genuine") == [(224, 224)] * 2
    assert pictures(tmp_path, f"{both}/hardest-impostor") == [(224, 224)] * 2
    assert not pictures(tmp_path, f"{first}/scores")


def test_a_disabled_run_draws_nothing(
    full: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb.finish()  # else the logger takes the run that another test left open
    logger, drawn = WandbLogger(project="test", save_dir=tmp_path, mode="disabled"), []
    monkeypatch.setattr(dashboard, "_entries", lambda *given: drawn.append(given) or ())
    log_results(SimpleNamespace(loggers=[logger]), full, "val")  # type: ignore[arg-type]
    assert drawn == []


def test_every_cell_of_a_matrix_is_logged_under_its_own_name(full: Any) -> None:
    cells = [r for r in full if r.degraded == "matrix" and r.model == "base"]
    names = [name for name in metrics(cells, "val") if name.endswith("/accuracy")]
    assert names == [f"val/lfw-devtest@{pair}/accuracy" for pair in
                     ("112-112", "112-7", "7-112", "7-7")]  # fmt: skip
