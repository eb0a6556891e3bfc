"""Checkpoints of weights that lie on several ranks: whole in the file, shared out when loaded.

A file written by any number of ranks loads on any other number.
"""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, distributed

from lrfr_lightning.heads.classifier import CosineClassifier
from lrfr_lightning.utils.distributed import gather_objects, rank_and_world, sum_over_ranks

KEY = "sharded"
"""Where a checkpoint says which weights are joined: name, and place in the optimisers."""


def join_shards(
    checkpoint: dict[str, Any], name: str, classifier: CosineClassifier, trainer: pl.Trainer
) -> None:
    """Put all C rows, and what the optimisers keep of each, in place of this rank's.

    Every rank has to call it; the first one's checkpoint is whole, the others' are not written.

    Args:
        checkpoint: as Lightning makes it.
        name: of the classifier's weight in the state dict.
        classifier: whose rows are joined.
        trainer: whose optimisers are in the checkpoint.
    """
    weight = classifier.weight
    checkpoint["state_dict"][name] = _joined(weight)
    places = [_place(optimizer, weight) for optimizer in trainer.optimizers]
    checkpoint[KEY] = {"name": name, "places": places}
    for place, states in zip(places, checkpoint.get("optimizer_states", []), strict=False):
        state = states["state"].get(place, {})
        for key, value in state.items():
            if isinstance(value, Tensor) and value.shape == weight.shape:
                state[key] = _joined(value)


def share_out(checkpoint: dict[str, Any], classifier: CosineClassifier) -> None:
    """Leave of the rows in a checkpoint those of this rank; one that joined none is left alone."""
    if KEY not in checkpoint:
        return
    name, places = checkpoint[KEY]["name"], checkpoint[KEY]["places"]
    whole = checkpoint["state_dict"][name]
    rows = slice(classifier.rows.start, classifier.rows.stop)
    checkpoint["state_dict"][name] = whole[rows]
    for place, states in zip(places, checkpoint.get("optimizer_states", []), strict=False):
        state = states["state"].get(place, {})
        for key, value in state.items():
            if isinstance(value, Tensor) and value.shape == whole.shape:
                state[key] = value[rows].clone()


@torch.no_grad()
def clip_joined_norm(module: pl.LightningModule, weight: Tensor, largest: float) -> None:
    """Clip all gradients by the norm they have together, the rows of ``weight`` on all ranks in it.

    By its own rows alone each rank would shrink the gradient of the shared backbone by another
    factor, and the ranks' copies of it would part.

    Args:
        module: whose gradients are scaled in place.
        weight: of which each rank holds other rows; every rank has to call it.
        largest: the norm afterwards, at most.
    """
    shared = [p.grad for p in module.parameters() if p is not weight and p.grad is not None]
    own = [] if weight.grad is None else [weight.grad]
    norm = torch.linalg.vector_norm
    square = sum_over_ranks(sum((norm(g).square() for g in own), weight.new_zeros(())))
    square = sum((norm(g).square() for g in shared), square)
    factor = (largest / (square.sqrt() + 1e-6)).clamp(max=1)
    for gradient in shared + own:
        gradient.mul_(factor)


def _place(optimizer: torch.optim.Optimizer, weight: Tensor) -> int | None:
    """The number an optimiser's state dict gives a parameter; None if it has it not."""
    parameters = (p for group in optimizer.param_groups for p in group["params"])
    return next((number for number, p in enumerate(parameters) if p is weight), None)


def _joined(own: Tensor) -> Tensor:
    """Rows of all ranks one below the other, on the first rank's CPU; on others their own rows.

    Ranks send one after the other, so that no device holds more than one part beside its own.
    """
    rank, world = rank_and_world()
    own = own.detach()
    counts = gather_objects(len(own))
    if rank > 0:
        distributed.send(own.contiguous(), 0)
        return own
    parts = [own.cpu()]
    for sender in range(1, world):
        part = own.new_empty(counts[sender], *own.shape[1:])
        distributed.recv(part, sender)
        parts.append(part.cpu())
    return torch.cat(parts)
