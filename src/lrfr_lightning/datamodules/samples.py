"""How workers make a batch: read, augment, degrade, collate.

Every random draw of a sample depends on (seed, epoch, index) alone and every draw of a batch on
(seed, epoch, first index), so that the number of workers changes nothing. A batch lies in the order
of its resolutions, so that images of one side are degraded together where they are.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from lrfr_lightning.datamodules.batch import SIDE, Batch
from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.datasets.codec import decode_image, decode_into, is_cut_short
from lrfr_lightning.datasets.encoded import EncodedFaces
from lrfr_lightning.functional.image import Image
from lrfr_lightning.transforms.augmentation import Augmentation
from lrfr_lightning.transforms.cross_resolution import CrossResolution
from lrfr_lightning.utils.errors import DataError

_TRIES = 16
"""Images looked at in place of an unreadable one; if none can be read, the disk is gone."""

_UNREADABLE = (DataError, OSError)


class Samples(TypedDict):
    """The images of a batch as they were read.

    Attributes:
        image: uint8 ``(B, 112, 112, 3)``.
        label: int64 ``(B,)``.
        index: int64 ``(B,)``, position in the data set.
        resolution: int64 ``(B,)``, the side each is to be degraded to, px, in ascending order.
        unreadable: position and reason of each image that could not be read.
    """

    image: NDArray[np.uint8]
    label: NDArray[np.int64]
    index: NDArray[np.int64]
    resolution: NDArray[np.int64]
    unreadable: list[tuple[int, str]]


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
        # asked once, not for each image
        self._stored = dataset if isinstance(dataset, EncodedFaces) else None
        self.augmentation = augmentation
        self.cross_resolution = cross_resolution
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: tuple[int, int]) -> Image:
        """Image ``index`` as it is seen in ``epoch``, uint8 ``(112, 112, 3)``.

        Raises:
            DataError: the image is unreadable, a JPEG that ends too early or not 112x112 px.
        """
        epoch, index = key
        image = self._image(index)
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
            DataError: an image is unreadable, and so is all that could stand in for it.
        """
        drawn = self._resolutions(keys)
        order = np.argsort(drawn, kind="stable")
        return self.batch([keys[place] for place in order], drawn[order])

    def batch(self, keys: Sequence[tuple[int, int]], resolution: NDArray[np.int64]) -> Samples:
        """Images at chosen resolutions.

        In place of one that is unreadable or not 112x112 px stands another of the same identity,
        drawn by seed, epoch and index; where none of them is readable, one of the identities that
        follow. ``index`` and ``label`` are always those of the image shown.

        Args:
            keys: ``(epoch, index)`` of each image.
            resolution: int64 ``(B,)``, px, ascending.

        Raises:
            DataError: an image is unreadable, and so is all that could stand in for it.
        """
        image = np.empty((len(keys), SIDE, SIDE, 3), np.uint8)
        unreadable: list[tuple[int, str]] = []
        shown = [
            self._first_readable(place, key, unreadable)
            for place, key in zip(image, keys, strict=True)
        ]
        return self._samples(image, shown, resolution, unreadable)

    def readable(self, indices: Sequence[int]) -> Samples:
        """The images that can be read, at full resolution, as they are in epoch 0."""
        image = np.empty((len(indices), SIDE, SIDE, 3), np.uint8)
        unreadable: list[tuple[int, str]] = []
        read: list[int] = []
        for index in indices:
            try:
                self._read(image[len(read)], (0, index))
                read.append(index)
            except _UNREADABLE as error:
                unreadable.append((index, str(error)))
        return self._samples(image[: len(read)], read, np.full(len(read), SIDE), unreadable)

    def _samples(
        self,
        image: NDArray[np.uint8],
        shown: Sequence[int],
        resolution: NDArray[np.int64],
        unreadable: list[tuple[int, str]],
    ) -> Samples:
        index = np.asarray(shown, np.int64)
        return Samples(
            image=image,
            label=np.asarray(self.dataset.labels[index], np.int64),
            index=index,
            resolution=resolution,
            unreadable=unreadable,
        )

    def _resolutions(self, keys: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
        if not self.cross_resolution:
            return np.full(len(keys), SIDE)
        draws = np.random.default_rng([self.seed, *keys[0]])
        return self.cross_resolution.sample(len(keys), SIDE, draws)

    def _first_readable(
        self, place: Image, key: tuple[int, int], unreadable: list[tuple[int, str]]
    ) -> int:
        """Put an image, or what stands in for it, to its place; which one it was."""
        try:
            self._read(place, key)
            return key[1]
        except _UNREADABLE as error:
            failed = [(key[1], str(error))]
        for index in islice(self._others(*key), _TRIES):
            try:
                self._read(place, (key[0], index))
            except _UNREADABLE as error:
                failed.append((index, str(error)))
            else:
                unreadable += failed
                return index
        raise DataError(
            f"{self.dataset.describe(key[1])} is unreadable, and so are the {len(failed) - 1} "
            f"images looked at in its place: {failed[-1][1]}; is the disk still there?"
        )

    def _others(self, epoch: int, index: int) -> Iterator[int]:
        """The other images of the identity, then those of the next ones."""
        draws = np.random.default_rng([self.seed, epoch, index])
        labels = self.dataset.labels
        for step in range(self.dataset.num_classes):
            label = (labels[index] + step) % self.dataset.num_classes
            others = np.flatnonzero(labels == label)
            yield from draws.permutation(others[others != index]).tolist()

    def _read(self, place: Image, key: tuple[int, int]) -> None:
        if not self._decoded(key[1], place):
            place[...] = self[key]

    def _image(self, index: int) -> Image:
        faces = self._stored
        if faces is None:
            return self.dataset.image(index)
        data = faces.encoded(index)
        if is_cut_short(data):
            raise DataError(
                f"{faces.describe(index)} is a JPEG that ends too early, after {len(data)} bytes, "
                "whose rest decoders fill up with grey: copy or download it again, or remove it"
            )
        return decode_image(data, lambda: faces.describe(index))

    def _decoded(self, index: int, place: Image) -> bool:
        """Whether the image went to its place straight from its bytes."""
        if self.augmentation or self._stored is None:
            return False
        return decode_into(self._stored.encoded(index), place)


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
        """A whole batch; unreadable images are left out, nothing stands in for them."""
        return self._samples.readable(indices)


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
        if samples["unreadable"]:
            batch["unreadable"] = samples["unreadable"]
        if cross and cross.where == "workers":
            batch.update(cross.degrade(batch["image"], batch["resolution"]))  # type: ignore[typeddict-item]
        return batch
