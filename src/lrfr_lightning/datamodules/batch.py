"""The training batch and how workers make it: read, augment, degrade, collate.

Every random draw of a sample depends on (seed, epoch, index) alone and every draw of a batch on
(seed, epoch, first index), so that the number of workers changes nothing. A batch lies in the order
of its resolutions, so that images of one side are degraded together where they are.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.datasets.codec import decode_into
from lrfr_lightning.datasets.encoded import EncodedFaces
from lrfr_lightning.functional.image import Image
from lrfr_lightning.functional.sharpness import batch_sharpness
from lrfr_lightning.transforms.augmentation import Augmentation
from lrfr_lightning.transforms.cross_resolution import CrossResolution
from lrfr_lightning.utils.errors import ConfigError, DataError

SIDE = 112
"""Side of the aligned faces that training reads, px."""


class Batch(TypedDict):
    """What a task's ``training_step`` receives.

    Attributes:
        image: uint8 ``(B, 3, 112, 112)`` RGB, channels-last in memory; ``PixelSpec.normalise``
            makes it network input.
        label: int64 ``(B,)``, identity 0..num_classes-1.
        index: int64 ``(B,)``, position in the data set.
        resolution: int64 ``(B,)``, side before upscaling, px; 112 where nothing was degraded.
        image_lr: uint8 ``(B, 3, 112, 112)``, the degraded copies, with ``views: pair`` only.
        sharpness: float32 ``(B,)``, average Laplacian of ``image``, grey levels; only from loaders
            of your own, :func:`quality_of` measures it where a margin asks for it.
    """

    image: Tensor
    label: Tensor
    index: Tensor
    resolution: Tensor
    image_lr: NotRequired[Tensor]
    sharpness: NotRequired[Tensor]


class Samples(TypedDict):
    """The images of a batch as they were read.

    Attributes:
        image: uint8 ``(B, 112, 112, 3)``.
        label: int64 ``(B,)``.
        index: int64 ``(B,)``, position in the data set.
        resolution: int64 ``(B,)``, the side each is to be degraded to, px, in ascending order.
    """

    image: NDArray[np.uint8]
    label: NDArray[np.int64]
    index: NDArray[np.int64]
    resolution: NDArray[np.int64]


class TrainingSamples(Dataset[Image]):
    """Reads and augments; addressed by ``(epoch, index)``.

    Args:
        dataset: the faces.
        augmentation: applied at full resolution, or None.
        cross_resolution: which resolution each sample of a batch is to get; None: its own.
        seed: of all draws.
    """

    def __init__(
        self,
        dataset: FaceDataset,
        augmentation: Augmentation | None,
        cross_resolution: CrossResolution | None,
        seed: int,
    ) -> None:
        self.dataset = dataset
        self.augmentation = augmentation
        self.cross_resolution = cross_resolution
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: tuple[int, int]) -> Image:
        """Image ``index`` as it is seen in ``epoch``, uint8 ``(112, 112, 3)``.

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
        return image

    def __getitems__(self, keys: Sequence[tuple[int, int]]) -> Samples:
        """A whole batch; each image goes to its place before the next is read.

        Raises:
            DataError: an image is unreadable or not 112x112 px.
        """
        drawn = self._resolutions(keys)
        order = np.argsort(drawn, kind="stable")
        keys = [keys[place] for place in order]
        index = np.asarray([index for _, index in keys], np.int64)
        return Samples(
            image=self._images(keys),
            label=np.asarray(self.dataset.labels[index], np.int64),
            index=index,
            resolution=drawn[order],
        )

    def _resolutions(self, keys: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
        if not self.cross_resolution:
            return np.full(len(keys), SIDE)
        draws = np.random.default_rng([self.seed, *keys[0]])
        return self.cross_resolution.sample(len(keys), SIDE, draws)

    def _images(self, keys: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
        made = np.empty((len(keys), SIDE, SIDE, 3), np.uint8)
        for place, key in zip(made, keys, strict=True):
            if not self._decoded(key[1], place):
                place[...] = self[key]
        return made

    def _decoded(self, index: int, place: Image) -> bool:
        """Whether the image went to its place straight from its bytes."""
        faces = self.dataset
        if self.augmentation or not isinstance(faces, EncodedFaces):
            return False
        return decode_into(faces.encoded(index), place)


class PlainSamples(Dataset[Image]):
    """The same images in their own order, as they lie on disk; addressed by ``index``.

    Args:
        dataset: the faces.
    """

    def __init__(self, dataset: FaceDataset) -> None:
        self._samples = TrainingSamples(dataset, None, None, seed=0)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Image:
        """Image ``index``."""
        return self._samples[0, index]

    def __getitems__(self, indices: Sequence[int]) -> Samples:
        """A whole batch."""
        return self._samples.__getitems__([(0, index) for index in indices])


class Collate:
    """Makes a batch of samples and degrades them as they say.

    Args:
        cross_resolution: how to degrade; None leaves all at full resolution.
    """

    def __init__(self, cross_resolution: CrossResolution | None) -> None:
        self.cross_resolution = cross_resolution

    def __call__(self, samples: Samples) -> Batch:
        """Samples → :class:`Batch`."""
        cross = self.cross_resolution
        batch = Batch(
            image=torch.from_numpy(samples["image"]).permute(0, 3, 1, 2),
            label=torch.from_numpy(samples["label"]),
            index=torch.from_numpy(samples["index"]),
            resolution=torch.from_numpy(samples["resolution"]),
        )
        if cross and cross.where == "workers":
            batch.update(cross.degrade(batch["image"], batch["resolution"]))  # type: ignore[typeddict-item]
        return batch


def join_views(batch: Batch) -> Batch:
    """One batch of all views: with ``image_lr``, ``(B, ...)`` and its copies become ``(2B, ...)``.

    The first half is at full resolution, the second as ``resolution`` says.
    """
    if "image_lr" not in batch:
        return batch
    full = torch.full_like(batch["resolution"], batch["image"].shape[-1])
    return Batch(
        image=torch.cat([batch["image"], batch["image_lr"]]),
        label=batch["label"].repeat(2),
        index=batch["index"].repeat(2),
        resolution=torch.cat([full, batch["resolution"]]),
    )


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
