"""Two small models, one of them calibrated, as files and as recognisers."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytorch_lightning as pl
import torch

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.embedders import CheckpointEmbedder
from lrfr_lightning.heads import ArcFace, MarginHead
from lrfr_lightning.recognition import Recogniser, calibrate
from lrfr_lightning.recognition.calibration import Wish
from lrfr_lightning.tasks import RecognitionTask


class Models(NamedTuple):
    """Checkpoints of two models, thresholds of the second, and both opened."""

    checkpoints: list[Path]
    thresholds: Path
    recognisers: list[Recogniser]


def untrained() -> RecognitionTask:
    """A small network; it tells embedded faces apart a little."""
    return RecognitionTask(
        backbone=IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0),
        head=partial(MarginHead, margin=ArcFace(0.3, scale=16)),
        num_classes=4,
        optimizer=partial(torch.optim.SGD, lr=0.01),
    )


@pytest.fixture(scope="session")
def models(tmp_path_factory: Any) -> Models:
    """Two of them, both called last."""
    folder = tmp_path_factory.mktemp("models")
    paths = []
    for seed, run in enumerate(("plain", "calibrated")):
        torch.manual_seed(seed)
        trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
        trainer.strategy.connect(untrained())
        (folder / run).mkdir()
        paths.append(folder / run / "last.ckpt")
        trainer.save_checkpoint(paths[-1])
    plain, other = (Recogniser(CheckpointEmbedder(str(path))) for path in paths)
    faces = EmbeddedFaces(40, 1, cache=False)
    wish = Wish(fpir=None, far=0.03, resolutions=(112, 28, 10))
    thresholds = calibrate(other, faces, "drawn faces", wish)
    thresholds.save(folder / "thresholds.json")
    calibrated = Recogniser(other.embedder, thresholds)
    return Models(paths, folder / "thresholds.json", [plain, calibrated])
