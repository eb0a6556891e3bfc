"""The LightningDataModule: labelled faces in, cross-resolution batches out."""

import gc
from collections.abc import Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from lrfr_lightning.datamodules.batch import SIDE, Batch
from lrfr_lightning.datamodules.loader import FaceLoader, ResumableLoader
from lrfr_lightning.datamodules.sampler import EpochSampler, IdentitySampler
from lrfr_lightning.datamodules.samples import Collate, PlainSamples, TrainingSamples
from lrfr_lightning.datamodules.unreadable import Unreadable
from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.functional.image import Image
from lrfr_lightning.transforms.augmentation import Augmentation, Step
from lrfr_lightning.transforms.cross_resolution import CrossResolution
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.memory import share_with_forks
from lrfr_lightning.utils.workers import outlive_sigterm


class FaceDataModule(pl.LightningDataModule):
    """Training faces from any source, degraded on the fly.

    CASIA-WebFace and its like come as ``ImageFolder``, ``RecordIO`` or ``ParquetFaces``.
    Validation and test have no batches of their own: callbacks run whole protocols there.

    In place of an image that cannot be read, training shows another of the same identity, see
    :meth:`~lrfr_lightning.datamodules.samples.TrainingSamples.batch`; ``predict`` and whatever asks
    for all images once leave it out. Each is named once, and ``fit`` lists them in
    ``unreadable.csv`` in the run's folder, a further rank's in ``unreadable-rank1.csv`` and so on.

    While a trainer trains with workers, garbage collections leave alone what was there before
    (``gc.freeze``), so that workers go on sharing its memory.

    Args:
        dataset: where the faces come from.
        cross_resolution: which share of a batch is degraded and how; None trains at full
            resolution only.
        augmentation: albumentations transforms by name, for example
            ``[{"HorizontalFlip": {"p": 0.5}}]``, applied before degradation.
        batch_size: per process.
        num_workers: processes that read images; 0 reads in the training process.
        seed: of shuffling, augmentation and degradation.
        images_per_identity: K: a batch is ``batch_size / K`` identities with K images each, see
            :class:`~lrfr_lightning.datamodules.sampler.IdentitySampler`; None draws images
            whatever their identity.
        unreadable: share of the data set's images, 0..1, that may turn out unreadable; with more
            the run ends in an error, at 0 with the first. Each rank counts what it reads.

    Raises:
        ConfigError: a batch is larger than the data set or not a multiple of K, too few
            identities have K images, or the share is out of range.
    """

    def __init__(
        self,
        dataset: FaceDataset,
        cross_resolution: CrossResolution | None = None,
        augmentation: Sequence[Step] = (),
        batch_size: int = 128,
        num_workers: int = 2,
        seed: int = 0,
        images_per_identity: int | None = None,
        unreadable: float = 0.01,
    ) -> None:
        super().__init__()
        self.dataset = dataset
        self.cross_resolution = cross_resolution
        self.augmentation = Augmentation(augmentation) if augmentation else None
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.seed = seed
        self.images_per_identity = images_per_identity
        self.unreadable = Unreadable(dataset, unreadable)
        if cross_resolution:
            cross_resolution.check(SIDE)
        if not 1 <= batch_size <= len(dataset):
            raise ConfigError(
                f"batch_size: expected 1..{len(dataset)} (the images there are), got {batch_size}"
            )
        _ = self._sampler()

    @property
    def num_classes(self) -> int:
        """How many identities the training data has."""
        return self.dataset.num_classes

    def batches_per_epoch(self, world: int) -> int:
        """Batches of each of ``world`` ranks in an epoch.

        Raises:
            ConfigError: too few identities have K images for a batch on each rank.
        """
        return len(self._sampler_of(0, world)) // self.batch_size

    def setup(self, stage: str) -> None:
        """Make one sample, so that unreadable or unaligned data ends the run before it begins.

        Raises:
            DataError: the first image is unreadable or not 112x112 px.
        """
        _ = self._samples()[0, 0]

    def teardown(self, stage: str) -> None:
        """Say how many images were unreadable, if any; collections look at everything again."""
        self.unreadable.sum_up()
        gc.unfreeze()

    def on_exception(self, exception: BaseException) -> None:
        """Let collections look at everything again."""
        gc.unfreeze()

    def train_dataloader(self) -> DataLoader[Image]:
        """Batches of this rank; the last, incomplete one of an epoch is left out.

        A run that is resumed in the middle of an epoch gets the batches that are left of it.
        """
        trainer = self.trainer
        if trainer:
            name = f"unreadable-rank{trainer.global_rank}" if trainer.global_rank else "unreadable"
            folder = Path(trainer.log_dir or trainer.default_root_dir)
            self.unreadable.begin(folder / f"{name}.csv", resumed=trainer.global_step > 0)
            if self.num_workers:
                share_with_forks()
        return ResumableLoader(
            self._batches_done,
            self._sampler(),
            unreadable=self.unreadable,
            dataset=self._samples(),
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            collate_fn=Collate(self.cross_resolution),  # __getitems__ makes no list
            drop_last=True,
            pin_memory=torch.cuda.is_available(),
            persistent_workers=self.num_workers > 0,
            worker_init_fn=_prepare_worker,
        )

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Degrade a training batch on its device, where ``cross_resolution.where`` says so."""
        cross = self.cross_resolution
        if cross and cross.where == "device" and self.trainer and self.trainer.training:
            batch.update(cross.degrade(batch["image"], batch["resolution"]))  # type: ignore[typeddict-item]
        return batch

    def val_dataloader(self) -> DataLoader[Batch]:
        """No batch but an empty one, so that Lightning runs the callbacks' validation."""
        return _nothing()

    def test_dataloader(self) -> DataLoader[Batch]:
        """As :meth:`val_dataloader`."""
        return _nothing()

    def predict_dataloader(self) -> DataLoader[Image]:
        """All training images in order, neither augmented nor degraded; none that is unreadable."""
        return FaceLoader(
            self.unreadable,
            dataset=PlainSamples(self.dataset),
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            collate_fn=Collate(None),  # __getitems__ makes no list
            worker_init_fn=_prepare_worker,
        )

    def _sampler(self) -> EpochSampler:
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        return self._sampler_of(rank, world)

    def _sampler_of(self, rank: int, world: int) -> EpochSampler:
        if self.images_per_identity is None:
            return EpochSampler(self.dataset, self.seed, rank, world)
        return IdentitySampler(
            self.dataset, self.seed, rank, world, self.batch_size, self.images_per_identity
        )

    def _batches_done(self) -> int:
        """How many batches of the current epoch were trained; 0 outside of training."""
        trainer = self.trainer
        return trainer.fit_loop.batch_idx + 1 if trainer and trainer.training else 0

    def _samples(self) -> TrainingSamples:
        return TrainingSamples(self.dataset, self.augmentation, self.cross_resolution, self.seed)


def _nothing() -> DataLoader[Batch]:
    return DataLoader([{}], batch_size=None)  # type: ignore[arg-type]


def _prepare_worker(_: int) -> None:
    """A worker is one of many: its libraries must not start threads of their own."""
    import cv2

    outlive_sigterm()
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
