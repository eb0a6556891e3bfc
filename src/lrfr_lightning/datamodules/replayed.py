"""Batches of an earlier run, made again."""

from collections.abc import Sequence

import numpy as np
from torch.utils.data import DataLoader

from lrfr_lightning.datamodules.batch import SIDE, Batch
from lrfr_lightning.datamodules.faces import FaceDataModule
from lrfr_lightning.datamodules.samples import Collate
from lrfr_lightning.functional.image import Image
from lrfr_lightning.utils.errors import DataError


class ReplayedFaces(FaceDataModule):
    """A ``FaceDataModule`` of few batches, whose images and resolutions are told.

    Attributes:
        batches: what training gets, see :meth:`again`.
    """

    batches: list[Batch]

    def again(
        self, epoch: int, index: Sequence[int], label: Sequence[int], resolution: Sequence[int]
    ) -> Batch:
        """The batch of an epoch, augmented and degraded as it was then.

        Args:
            epoch: in which it was.
            index: position in the data set of each image shown, B numbers.
            label: identity of each.
            resolution: of each, px.

        Raises:
            DataError: the data set has no such images, a resolution is none, or an image cannot be
                read any more.
        """
        if not 1 <= min(resolution) <= max(resolution) <= SIDE:
            raise DataError(
                f"expected resolutions of 1..{SIDE} px, got {min(resolution)}..{max(resolution)}"
            )
        labels = self.dataset.labels
        if not 0 <= min(index) <= max(index) < len(labels) or list(labels[list(index)]) != label:
            raise DataError(
                f"the batch has images 0..{max(index)} of another data set than this one of "
                f"{len(labels)} images: their identities differ; give the YAML of the same run"
            )
        keys = [(epoch, image) for image in index]
        samples = self._samples().batch(keys, np.asarray(resolution, np.int64))
        if samples["unreadable"]:
            raise DataError(f"the batch cannot be made again: {samples['unreadable'][0][1]}")
        return Collate(self.cross_resolution)(samples)

    def train_dataloader(self) -> DataLoader[Image]:
        """The batches."""
        return DataLoader(self.batches, batch_size=None)  # type: ignore[arg-type]
