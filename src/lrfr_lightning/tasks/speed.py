"""Choices that make a step faster and change nothing that is learnt."""

import torch
from pytorch_lightning.utilities import rank_zero_info
from torch import nn
from torch.optim import Optimizer

from lrfr_lightning.utils.errors import ConfigError

_NARROW = 12


def memory_layout(backbone: nn.Module, chosen: bool | None, precision: str) -> torch.memory_format:
    """Channels-last or contiguous.

    Args:
        backbone: whose convolutions it is for.
        chosen: True or False as the user says; None: channels-last where it is faster, which is in
            16 bits, unless a convolution has fewer than 12 channels (the RGB image's aside).
        precision: the trainer's, for example ``bf16-mixed``.
    """
    if chosen is None:
        chosen = "16" in precision and _narrowest(backbone) >= _NARROW
    return torch.channels_last if chosen else torch.contiguous_format


def _narrowest(network: nn.Module) -> int:
    widths = [
        width
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
        for width in (layer.in_channels, layer.out_channels)
        if width != 3
    ]
    return min(widths, default=0)


def rate_factor(base_batch: int, global_batch: int) -> float:
    """By what the linear rule multiplies the learning rate; see :func:`scale_learning_rate`.

    Raises:
        ConfigError: ``base_batch`` is below 1.
    """
    if base_batch < 1:
        raise ConfigError(f"lr_base_batch: expected at least 1 image, got {base_batch}")
    return global_batch / base_batch


def scale_learning_rate(optimizer: Optimizer, base_batch: int, global_batch: int) -> None:
    """The linear rule (Goyal et al., 1706.02677, 2017): k times the batch, k times the rate.

    Args:
        optimizer: whose rates were chosen for ``base_batch``; all groups are scaled in place.
        base_batch: images in an optimiser step, where the rate was chosen.
        global_batch: images in an optimiser step of this run, over all ranks and accumulated.

    Raises:
        ConfigError: ``base_batch`` is below 1.
    """
    factor = rate_factor(base_batch, global_batch)
    for group in optimizer.param_groups:
        group["lr"] *= factor
    rates = ", ".join(f"{group['lr']:.4g}" for group in optimizer.param_groups)
    rank_zero_info(
        f"learning rate x {factor:.4g} = {rates}: {global_batch} images in a step, lr_base_batch "
        f"is {base_batch}"
    )
