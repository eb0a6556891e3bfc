"""A picture of what the network is trained on."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray
from PIL import Image as PillowImage
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger

from lrfr_lightning.datamodules.batch import Batch, join_views
from lrfr_lightning.functional.image import Image
from lrfr_lightning.utils.paths import whole_file


class BatchPreview(pl.Callback):
    """Draws the first training batch, each face with its resolution, when training begins.

    The grid goes to ``batch.png`` in the run's folder, to Weights & Biases and to TensorBoard.

    Args:
        count: faces to show.
        columns: faces in a row.
    """

    def __init__(self, count: int = 32, columns: int = 8) -> None:
        self.count = count
        self.columns = columns
        self._drawn = False

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Draw once per run, on the first rank."""
        folder = Path(trainer.log_dir or trainer.default_root_dir)
        if self._drawn or not trainer.is_global_zero:
            return
        self._drawn = True
        grid = batch_grid(batch, self.count, self.columns)
        with whole_file(folder / "batch.png") as partial:
            PillowImage.fromarray(grid).save(partial, "PNG")
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("train/batch", [PillowImage.fromarray(grid)])
            elif isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image("train/batch", grid, 0, dataformats="HWC")


def batch_grid(batch: Batch, count: int = 32, columns: int = 8) -> Image:
    """Faces of a batch as one picture, uint8 ``(rows·112, columns·112, 3)``, with their px."""
    joined = join_views(batch)
    images = joined["image"][:count].permute(0, 2, 3, 1).cpu().numpy()
    resolutions = joined["resolution"][:count].tolist()
    tiles = [_labelled(image, side) for image, side in zip(images, resolutions, strict=True)]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return np.vstack(rows)


def _labelled(image: NDArray[np.uint8], resolution: int) -> Image:
    tile = np.ascontiguousarray(image)
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(tile, f"{resolution}", (4, 108), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour,
                    thickness, cv2.LINE_AA)  # fmt: skip
    return tile
