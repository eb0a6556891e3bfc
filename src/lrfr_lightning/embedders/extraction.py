"""Images of a protocol → embeddings, each image once per resolution, shared out over ranks."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.functional.controls import apply_control
from lrfr_lightning.functional.resize import degrade
from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.protocols.verification import (
    FULL_RESOLUTION,
    Embeddings,
    VerificationProtocol,
)
from lrfr_lightning.utils.distributed import gather_objects, rank_and_world
from lrfr_lightning.utils.errors import DataError

View = tuple[int, int]
"""``(resolution, position)`` of an image."""


class DegradedImages(Dataset[Tensor]):
    """Images as a protocol shows them, addressed by ``(resolution, position)``.

    Args:
        protocol: its images, control and kernels.
    """

    def __init__(self, protocol: VerificationProtocol) -> None:
        self.protocol = protocol

    def __getitem__(self, view: View) -> Tensor:
        """uint8 ``(3, 112, 112)``.

        Raises:
            DataError: the image is not an aligned face of 112x112 px.
        """
        resolution, position = view
        images, protocol = self.protocol.images, self.protocol
        image = images.image(position)
        if image.shape[:2] != (FULL_RESOLUTION, FULL_RESOLUTION):
            raise DataError(
                f"{images.describe(position)}: expected an aligned face of "
                f"{FULL_RESOLUTION}x{FULL_RESOLUTION} px, got {image.shape[1]}x{image.shape[0]}"
            )
        face = apply_control(image, protocol.control)
        degraded = degrade(face, resolution, protocol.down, protocol.up)
        return torch.from_numpy(np.array(degraded)).permute(2, 0, 1)


class OwnBatches:
    """This rank's share of the batches.

    Whole batches are dealt out, so that each is the same on one process and on many, and with it
    every embedding.

    Args:
        views: all views in order.
        batch_size: views in a batch.
    """

    def __init__(self, views: Sequence[View], batch_size: int) -> None:
        rank, world = rank_and_world()
        starts = range(0, len(views), batch_size)
        batches = [list(views[start : start + batch_size]) for start in starts]
        self.numbers = list(range(rank, len(batches), world))
        self._batches = [batches[number] for number in self.numbers]

    def __iter__(self) -> Iterator[list[View]]:
        """The batches, as lists of views."""
        return iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)


def extract(
    embedder: Embedder, protocol: VerificationProtocol, batch_size: int = 64, num_workers: int = 0
) -> dict[int, Embeddings]:
    """Embed every image of a protocol once per resolution.

    Args:
        embedder: the model.
        protocol: its images, resolutions and kernels.
        batch_size: images that go through the network at once.
        num_workers: processes that read and degrade images.

    Returns:
        float32 ``(len(images), D)`` for each resolution, on every rank.
    """
    count, resolutions = len(protocol.images), protocol.embedded_resolutions
    views = [(resolution, i) for resolution in resolutions for i in range(count)]
    batches = OwnBatches(views, batch_size)
    loader = DataLoader(
        DegradedImages(protocol),
        batch_sampler=batches,
        num_workers=num_workers,
    )
    # None: a bar on a terminal, silence in a log file
    quiet = True if rank_and_world()[0] > 0 else None
    bar = tqdm(loader, f"{embedder.name} on {protocol.name}", leave=False, disable=quiet)
    own = [_embed(embedder, images, protocol.flip) for images in bar]
    parts = [
        part
        for rank in gather_objects(list(zip(batches.numbers, own, strict=True)))
        for part in rank
    ]
    joined = np.concatenate([part for _, part in sorted(parts, key=lambda entry: entry[0])])
    return dict(zip(resolutions, np.split(joined, len(resolutions)), strict=True))


def evaluate(
    embedder: Embedder, protocol: VerificationProtocol, batch_size: int = 64, num_workers: int = 0
) -> list[ProtocolResult]:
    """Measure a model on a protocol; the same on every rank."""
    embeddings = extract(embedder, protocol, batch_size, num_workers)
    return protocol.evaluate(embeddings, embedder.name)


def _embed(embedder: Embedder, images: Tensor, flip: bool) -> Embeddings:
    embedding = embedder.embed(images)
    if flip:
        embedding = embedding + embedder.embed(images.flip(3))
    return np.asarray(embedding.cpu().numpy())
