"""The training batch and how workers make it: read, augment, degrade, collate.

Every random draw of a sample depends on (seed, epoch, index) alone and every draw of a batch on
(seed, epoch, first index), so that the number of workers changes nothing.
"""

from typing import NotRequired, TypedDict, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.sharpness import batch_sharpness, image_sharpness
from lrfr_lightning.transforms.augmentation import Augmentation
from lrfr_lightning.transforms.cross_resolution import CrossResolution, Views
from lrfr_lightning.utils.errors import ConfigError, DataError

SIDE = 112
"""Side of the aligned faces that training reads, px."""


class Batch(TypedDict):
    """What a task's ``training_step`` receives.

    Attributes:
        image: uint8 ``(B, 3, 112, 112)`` RGB; ``PixelSpec.normalise`` makes it network input.
        label: int64 ``(B,)``, identity 0..num_classes-1.
        index: int64 ``(B,)``, position in the data set.
        resolution: int64 ``(B,)``, side before upscaling, px; 112 where nothing was degraded.
        image_lr: uint8 ``(B, 3, 112, 112)``, the degraded copies, with ``views: pair`` only.
        sharpness: float32 ``(B,)``, average Laplacian of ``image``, grey levels, see
            :mod:`lrfr_lightning.functional.sharpness`.
        sharpness_lr: the same of ``image_lr``.
    """

    image: Tensor
    label: Tensor
    index: Tensor
    resolution: Tensor
    image_lr: NotRequired[Tensor]
    sharpness: NotRequired[Tensor]
    sharpness_lr: NotRequired[Tensor]


class Sample(TypedDict):
    """One image on its way into a batch."""

    image: Image
    label: int
    index: int
    epoch: int


class TrainingSamples(Dataset[Sample]):
    """Reads and augments; addressed by ``(epoch, index)``.

    Args:
        dataset: the faces.
        augmentation: applied at full resolution, or None.
        seed: of all draws.
    """

    def __init__(self, dataset: FaceDataset, augmentation: Augmentation | None, seed: int) -> None:
        self.dataset = dataset
        self.augmentation = augmentation
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        """Sample ``index`` as it is seen in ``epoch``.

        Raises:
            DataError: the image is unreadable or not 112x112 px.
        """
        epoch, index = key
        image = self.dataset.image(index)
        if image.shape != (SIDE, SIDE, 3):
            raise DataError(
                f"{self.dataset.describe(index)}: expected an aligned face of {SIDE}x{SIDE} px, "
                f"got {image.shape[1]}x{image.shape[0]}; align the images first"
            )
        if self.augmentation:
            draws = np.random.default_rng([self.seed, epoch, index])
            image = self.augmentation(image, int(draws.integers(2**31)))
        label = int(self.dataset.labels[index])
        return Sample(image=image, label=label, index=index, epoch=epoch)


class PlainSamples(Dataset[Sample]):
    """The same images in their own order, as they lie on disk; addressed by ``index``.

    Args:
        dataset: the faces.
    """

    def __init__(self, dataset: FaceDataset) -> None:
        self._samples = TrainingSamples(dataset, None, seed=0)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        """Sample ``index``."""
        return self._samples[0, index]


class Collate:
    """Makes a batch of samples and degrades its share of them.

    Args:
        cross_resolution: which samples to degrade and how; None leaves all at full resolution.
        seed: of all draws.
    """

    def __init__(self, cross_resolution: CrossResolution | None, seed: int) -> None:
        self.cross_resolution = cross_resolution
        self.seed = seed

    def __call__(self, samples: list[Sample]) -> Batch:
        """Samples → :class:`Batch`."""
        images = [sample["image"] for sample in samples]
        if self.cross_resolution is None:
            views = Views(images, np.full(len(images), SIDE))
        else:
            draws = np.random.default_rng([self.seed, samples[0]["epoch"], samples[0]["index"]])
            views = self.cross_resolution(images, draws)
        batch = Batch(
            image=stack(views.images),
            label=torch.tensor([sample["label"] for sample in samples]),
            index=torch.tensor([sample["index"] for sample in samples]),
            resolution=torch.from_numpy(views.resolution),
            sharpness=sharpness_of(views.images),
        )
        if views.images_lr:
            batch["image_lr"] = stack(views.images_lr)
            batch["sharpness_lr"] = sharpness_of(views.images_lr)
        return batch


def stack(images: list[Image]) -> Tensor:
    """uint8 images ``(H, W, 3)`` of one size → uint8 tensor ``(B, 3, H, W)``."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def sharpness_of(images: list[Image]) -> Tensor:
    """Average Laplacian of each image, float32 ``(B,)``, grey levels."""
    return torch.tensor([image_sharpness(image) for image in images], dtype=torch.float32)


def join_views(batch: Batch) -> Batch:
    """One batch of all views: with ``image_lr``, ``(B, ...)`` and its copies become ``(2B, ...)``.

    The first half is at full resolution, the second as ``resolution`` says.
    """
    if "image_lr" not in batch:
        return batch
    full = torch.full_like(batch["resolution"], batch["image"].shape[-1])
    joined = Batch(
        image=torch.cat([batch["image"], batch["image_lr"]]),
        label=batch["label"].repeat(2),
        index=batch["index"].repeat(2),
        resolution=torch.cat([full, batch["resolution"]]),
    )
    if "sharpness" in batch and "sharpness_lr" in batch:
        joined["sharpness"] = torch.cat([batch["sharpness"], batch["sharpness_lr"]])
    return joined


def quality_of(batch: Batch, key: str | None) -> Tensor | None:
    """What a margin asks the batch for, ``(B,)``; None where the margin or the batch has nothing.

    The sharpness of a batch that comes without is measured here, on the device of the images.

    Args:
        batch: all views joined, see :func:`join_views`.
        key: the margin's ``quality_key``.
    """
    if key == "sharpness" and key not in batch:
        return batch_sharpness(batch["image"])
    return cast(Tensor | None, batch.get(key or ""))


def split_views(embedding: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """The two halves of what :func:`join_views` joined, one row for each image.

    Args:
        embedding: ``(2B, ...)``, one for each entry of ``batch``.
        batch: two joined views, ``(2B, ...)``.

    Returns:
        Embeddings of the full-resolution images ``(B, ...)``, of their degraded copies
        ``(B, ...)``, and the labels ``(B,)``.

    Raises:
        ConfigError: the batch does not hold two views of the same images.
    """
    index = batch["index"]
    half = len(index) // 2
    if len(index) % 2 or not torch.equal(index[:half], index[half:]):
        raise ConfigError(
            f"expected two views of the same images, got {len(index)} entries that are not; "
            "set data.cross_resolution.init_args.views: pair"
        )
    return embedding[:half], embedding[half:], batch["label"][:half]
