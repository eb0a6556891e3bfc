"""A training step of MobileFaceNet on a CPU: torch's own layers beside ours.

Channels-last, all threads, in bf16 where the processor has it: emulated, a step takes half a
minute. Forward and backward pass without loss or optimiser.
"""

from functools import partial

import torch
from torch import nn

from benchmarks.clock import medians
from benchmarks.machine import computes_bf16
from benchmarks.row import Row
from lrfr_lightning.backbones import MobileFaceNet, fuse_prelu
from lrfr_lightning.backbones.cpu import DepthwiseConv2d

PRECISION = "bf16" if computes_bf16() else "float32"


def measure(quick: bool) -> list[Row]:
    """Ours without and with the fused PReLU, each beside torch's layers."""
    batch, repeats = (2, 1) if quick else (64, 7)
    plain, strided, fused = (MobileFaceNet() for _ in range(3))
    for module in plain.modules():
        if isinstance(module, DepthwiseConv2d):
            module.__class__ = nn.Conv2d  # type: ignore[assignment]
    fuse_prelu(fused)
    images = torch.randn(batch, 3, 112, 96).contiguous(memory_format=torch.channels_last)
    networks = {"torch": plain, "strided": strided, "fused": fused}
    steps = {
        name: partial(_step, network.to(memory_format=torch.channels_last), images)
        for name, network in networks.items()
    }
    seconds = medians(steps, repeats)
    return [
        Row(
            name=f"MobileFaceNet forward and backward, batch {batch}, {PRECISION}, {words}",
            sense="time",
            seconds=seconds[name],
            peer=f"torch's own layers, torch {torch.__version__}",
            ratio_to_peer=seconds[name] / seconds["torch"],
        )
        for name, words in (
            ("strided", "our strided depthwise convolution"),
            ("fused", "our strided depthwise convolution and fused PReLU"),
        )
    ]


def _step(network: nn.Module, images: torch.Tensor) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=PRECISION == "bf16"):
        embedding = network(images)
    embedding.float().square().mean().backward()
