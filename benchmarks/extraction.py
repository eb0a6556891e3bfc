"""Embedding extraction on the CPU: our settings beside torch as it is and ONNX Runtime."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.clock import medians
from benchmarks.machine import computes_bf16
from benchmarks.row import Row
from lrfr_lightning.backbones import Backbone, IResNet, MobileFaceNet
from lrfr_lightning.embedders import ModuleEmbedder, OnnxEmbedder
from lrfr_lightning.embedders.base import Precision
from lrfr_lightning.export import export_onnx
from lrfr_lightning.utils.errors import ConfigError

Functions = dict[str, Callable[[], Any]]
PRECISIONS: tuple[Precision, ...] = ("float32", "bf16") if computes_bf16() else ("float32",)
"""The last one is the fastest."""


def measure(quick: bool) -> list[Row]:
    """Each network and precision, beside its own bare pass, eager torch and ONNX Runtime."""
    torch.manual_seed(0)
    networks: dict[str, Backbone] = {"IResNet-18": IResNet(18, width=4 if quick else 64)}
    if not quick:
        networks["MobileFaceNet"] = MobileFaceNet()
    batch, repeats = (2, 1) if quick else (64, 5)
    return [
        row for name, network in networks.items() for row in _rows(name, network, batch, repeats)
    ]


def _rows(name: str, network: Backbone, batch: int, repeats: int) -> list[Row]:
    images = torch.randint(0, 256, (batch, 3, 112, 112), dtype=torch.uint8)
    eager = _eager(network.eval(), images)
    with tempfile.TemporaryDirectory() as folder:
        # made first: the layout of the weights is changed by nothing after
        runtime = _onnx(network, images, Path(folder) / "network.onnx")
        times = medians(eager | runtime | _ours(network, images), repeats)
    return [
        row
        for precision in PRECISIONS
        for row in _of_precision(f"{name}, batch {batch}, {precision}", precision, times)
    ]


def _of_precision(name: str, precision: str, times: dict[str, float]) -> list[Row]:
    ours, fastest = times[precision], precision == PRECISIONS[-1]
    peers = {"torch, eager float32": ("eager", 2.5), "ONNX Runtime, float32": ("onnx", 1.5)}
    rows = []
    for peer, (key, least) in peers.items():
        ratio = times[key] / ours if key in times else None
        rows.append(
            Row(
                f"Extraction, {name}", "speed", ours, f"bare pass in {precision}, channels-last",
                times[f"bare {precision}"] / ours, peer, ratio,
                target=f"{least} times" if fastest else "",
                met=ratio >= least if fastest and ratio is not None else None,
                note="" if ratio is not None else "onnxruntime or onnxscript is not installed",
            )
        )  # fmt: skip
    return rows


def _eager(network: Backbone, images: torch.Tensor) -> Functions:
    @torch.no_grad()
    def run() -> Any:
        return network(network.pixel_spec.normalise(images))

    return {"eager": run}


def _ours(network: Backbone, images: torch.Tensor) -> Functions:
    pixels = network.pixel_spec.normalise(images).contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def bare(reduced: bool) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=reduced):
            return network(pixels)

    functions: Functions = {}
    for precision in PRECISIONS:
        ours = ModuleEmbedder(network, precision, precision)
        functions[precision] = partial(ours.embed, images)
        functions[f"bare {precision}"] = partial(bare, precision == "bf16")
    return functions


def _onnx(network: Backbone, images: torch.Tensor, path: Path) -> Functions:
    try:
        export_onnx(network, path)
        embedder = OnnxEmbedder(str(path))
    except (ConfigError, ImportError):
        return {}
    return {"onnx": lambda: embedder.embed(images)}
