"""What a trained network makes of every training image, before the first step."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils.data import DataLoader
from tqdm import tqdm

from lrfr_lightning.backbones.base import Backbone, evaluating
from lrfr_lightning.utils.distributed import gather_objects, rank_and_world


@torch.no_grad()
def reference_embeddings(
    network: Backbone,
    loader: DataLoader[Any],
    precision: Callable[[], AbstractContextManager[Any]],
) -> tuple[Tensor, Tensor]:
    """Embed each image as it lies on disk and mirrored; ranks share the batches.

    Args:
        network: on its device; used in eval mode and left as it was.
        loader: batches of all training images, each with its ``index`` 0..N-1.
        precision: makes the context to run it in, such as autocast.

    Returns:
        The sum of both unit embeddings brought to length 1, float16 ``(N, D)`` on the CPU, in
        index order (0.5 GB for CASIA-WebFace at D = 512), and labels int64 ``(N,)``. For an image
        that the loader leaves out, zeros and the label -1.
    """
    device = next(network.parameters()).device
    rank, world = rank_and_world()
    own = []
    bar = tqdm(loader, "reference", leave=False, disable=True if rank > 0 else None)
    for number, batch in enumerate(bar):
        if number % world == rank:
            pixels = network.pixel_spec.normalise(batch["image"].to(device))
            with precision(), evaluating(network):
                views = [network(view).float() for view in (pixels, pixels.flip(3))]
            embedding = normalize(normalize(views[0]) + normalize(views[1]))
            own.append((batch["index"], batch["label"], embedding.half().cpu()))
    parts = [part for share in gather_objects(own) for part in share]
    index, label, embeddings = (torch.cat(column) for column in zip(*parts, strict=True))
    images = len(loader.dataset)  # type: ignore[arg-type]
    of_all = embeddings.new_zeros(images, embeddings.shape[1])
    labels = torch.full((images,), -1)
    of_all[index], labels[index] = embeddings, label
    return of_all, labels


def class_means(embedding: Tensor, label: Tensor, num_classes: int) -> Tensor:
    """Mean embedding of each class, of length 1, float32 ``(C, D)``; zero for a class of none.

    Args:
        embedding: ``(N, D)``.
        label: int64 ``(N,)``, 0..C-1, or -1: left out.
        num_classes: C.
    """
    labelled = label >= 0
    sums = torch.zeros(num_classes, embedding.shape[1])
    sums.index_add_(0, label[labelled], embedding[labelled].float())
    return normalize(sums)
