"""Images of a protocol → embeddings, each image once per resolution, shared out over ranks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.embedders.cache import content_key
from lrfr_lightning.protocols.base import Embeddings, Protocol
from lrfr_lightning.protocols.result import ProtocolResult, Resolution
from lrfr_lightning.utils.distributed import gather_objects, rank_and_world
from lrfr_lightning.utils.fingerprint import fingerprint_of
from lrfr_lightning.utils.workers import outlive_sigterm, sigterm_held_back

View = tuple[Resolution, int]
"""``(resolution, position)`` of an image."""


class Shown(Dataset[Tensor]):
    """Images as a protocol shows them to a network, addressed by ``(resolution, position)``.

    Args:
        protocol: its images, control and kernels.
    """

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol

    def __getitem__(self, view: View) -> Tensor:
        """uint8 ``(3, 112, 112)``."""
        resolution, position = view
        image = self.protocol.view(position, resolution)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)


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
    embedder: Embedder, protocol: Protocol, batch_size: int = 64, num_workers: int = 0
) -> dict[Resolution, Embeddings]:
    """Embed every image of a protocol once per resolution; see :func:`extract_shown`.

    Returns:
        float32 ``(len(images), D)`` for each resolution, on every rank; NaN where the protocol does
        not need an image at that resolution.
    """
    return extract_shown(embedder, protocol, batch_size, num_workers)[0]


def extract_shown(
    embedder: Embedder, protocol: Protocol, batch_size: int = 64, num_workers: int = 0
) -> tuple[dict[Resolution, Embeddings], str]:
    """Embed every image of a protocol once per resolution, and note what the network saw.

    Args:
        embedder: the model.
        protocol: its images, resolutions and kernels.
        batch_size: images that go through the network at once.
        num_workers: processes that read and degrade images.

    Returns:
        Embeddings as of :func:`extract`, and the SHA-256 of all pixels, in order, hex.
    """
    needed = {r: protocol.positions(r) for r in protocol.embedded_resolutions}
    views = [(resolution, int(i)) for resolution, own in needed.items() for i in own]
    batches = OwnBatches(views, batch_size)
    loader = DataLoader(
        Shown(protocol),
        batch_sampler=batches,
        num_workers=num_workers,
        worker_init_fn=outlive_sigterm,
    )
    # None: a bar on a terminal, silence in a log file
    quiet = True if rank_and_world()[0] > 0 else None
    with sigterm_held_back():
        batches_shown = iter(loader)
    about = f"{embedder.name} on {protocol.name}"
    bar = tqdm(batches_shown, about, len(loader), leave=False, disable=quiet)
    own = [(_embed(embedder, images, protocol.flip), [*map(content_key, images)]) for images in bar]
    parts = [
        part
        for rank in gather_objects(list(zip(batches.numbers, own, strict=True)))
        for part in rank
    ]
    ordered = [part for _, part in sorted(parts, key=lambda entry: entry[0])]
    joined = np.concatenate([rows for rows, _ in ordered])
    shown = fingerprint_of("images", (key for _, keys in ordered for key in keys))
    return _by_resolution(joined, needed, len(protocol.images)), shown


def evaluate(
    embedder: Embedder, protocol: Protocol, batch_size: int = 64, num_workers: int = 0
) -> list[ProtocolResult]:
    """Measure a model on a protocol; the same on every rank."""
    embeddings, shown = extract_shown(embedder, protocol, batch_size, num_workers)
    results = protocol.evaluate(embeddings, embedder.name)
    return signed(results, embedder, shown)


def signed(
    results: Sequence[ProtocolResult], embedder: Embedder, shown: str
) -> list[ProtocolResult]:
    """Results with the precision and the fingerprint of the model, and that of the images."""
    fingerprint = embedder.fingerprint()
    return [
        replace(
            result,
            precision=embedder.precision,
            data_fingerprint=shown,
            model_fingerprint=fingerprint,
        )
        for result in results
    ]


def _by_resolution(
    joined: Embeddings, needed: dict[Resolution, NDArray[np.int64]], count: int
) -> dict[Resolution, Embeddings]:
    """Rows in the order of the views → for each resolution a row per image."""
    ends = np.cumsum([len(own) for own in needed.values()])[:-1]
    found: dict[Resolution, Embeddings] = {}
    for (resolution, own), rows in zip(needed.items(), np.split(joined, ends), strict=True):
        if len(own) == count:
            found[resolution] = rows
        else:
            found[resolution] = np.full((count, joined.shape[1]), np.nan, joined.dtype)
            found[resolution][own] = rows
    return found


def _embed(embedder: Embedder, images: Tensor, flip: bool) -> Embeddings:
    embedding = embedder.embed(images)
    if flip:
        embedding = embedding + embedder.embed(images.flip(3))
    return np.asarray(embedding.cpu().numpy())
