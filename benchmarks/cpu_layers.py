"""A training step of MobileFaceNet on a CPU: torch's layers beside ours, in one run.

    python benchmarks/cpu_layers.py

Batch 64, bf16 autocast, channels-last, all threads; medians of nine steps taken in turn.
"""

import statistics
import time

import torch
from torch import nn

from lrfr_lightning.backbones import MobileFaceNet, fuse_prelu
from lrfr_lightning.backbones.cpu import DepthwiseConv2d


def step_time(network: nn.Module, images: torch.Tensor) -> float:
    """Seconds of one forward and backward pass."""
    start = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        embedding = network(images)
    embedding.float().square().mean().backward()
    return time.perf_counter() - start


def main() -> None:
    """Print the median of each variant and its ratio to torch's layers."""
    plain, strided, fused = (MobileFaceNet() for _ in range(3))
    for module in plain.modules():
        if isinstance(module, DepthwiseConv2d):
            module.__class__ = nn.Conv2d  # type: ignore[assignment]
    fuse_prelu(fused)
    variants = {"torch's layers": plain, "DepthwiseConv2d": strided, "and fused PReLU": fused}
    images = torch.randn(64, 3, 112, 96).contiguous(memory_format=torch.channels_last)
    for network in variants.values():
        network.to(memory_format=torch.channels_last)
        step_time(network, images)
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(9):
        for name, network in variants.items():
            times[name].append(step_time(network, images))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, seconds in medians.items():
        ratio = medians["torch's layers"] / seconds
        print(f"{name:<18}{64 / seconds:6.1f} images/s  {ratio:.2f} x")


if __name__ == "__main__":
    main()
