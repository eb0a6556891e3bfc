"""The training batch, its views and what margins ask of it."""

from typing import NotRequired, TypedDict, cast

import torch
from torch import Tensor

from lrfr_lightning.functional.sharpness import batch_sharpness
from lrfr_lightning.utils.errors import ConfigError

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
        unreadable: position and reason of each image that could not be read, if there is any; the
            loader counts them and takes the key away.
    """

    image: Tensor
    label: Tensor
    index: Tensor
    resolution: Tensor
    image_lr: NotRequired[Tensor]
    sharpness: NotRequired[Tensor]
    unreadable: NotRequired[list[tuple[int, str]]]


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
