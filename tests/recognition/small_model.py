"""A network small enough for tests, as a file that the commands open."""

from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from PIL import Image as PillowImage

from lrfr_lightning.datasets import EmbeddedFaces


def write_checkpoint(path: Path, make_task, seed: int = 0) -> str:
    """A checkpoint of an untrained task; it tells embedded faces apart a little."""
    torch.manual_seed(seed)
    trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    trainer.strategy.connect(make_task())
    trainer.save_checkpoint(path)
    return str(path)


def write_people(folder: Path, people: range, images: range, side: int = 112) -> Path:
    """``folder/person<i>/<j>.png`` of embedded faces."""
    faces = EmbeddedFaces(60, 3)
    for person in people:
        own = np.flatnonzero(faces.labels == person)
        target = folder / f"person{person}"
        target.mkdir(parents=True)
        for image in images:
            face = PillowImage.fromarray(faces.image(int(own[image])))
            face.resize((side, side), PillowImage.Resampling.BICUBIC).save(target / f"{image}.png")
    return folder
