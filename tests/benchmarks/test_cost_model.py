"""The cost model against figures counted by hand or by torch."""

from pathlib import Path

import pytest
import torch
from benchmarks.cost_model import Step, table
from torch.utils.flop_counter import FlopCounterMode

from lrfr_lightning.backbones import IResNet

DOCS = Path(__file__).parents[2] / "docs"


def test_the_head_as_torch_counts_it() -> None:
    embedding = torch.randn(8, 16, requires_grad=True)
    weight = torch.randn(50, 16, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        (embedding @ weight.T).sum().backward()
    assert Step(50, batch=8, dim=16).head_flops() == counter.get_total_flops()


def test_the_backbone_of_the_table() -> None:
    network = IResNet(depth=50).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 112, 112))
    step = Step(1)
    assert step.backbone_gflops == pytest.approx(counter.get_total_flops() / 1e9, rel=0.02)
    millions = sum(p.numel() for p in network.parameters()) / 1e6
    assert step.backbone_millions == pytest.approx(millions, rel=0.01)


def test_ten_million_identities_on_eight_gpus() -> None:
    dense = Step(10_000_000, gpus=8)
    assert dense.head_weight_bytes() == 3 * 4 * 10_000_000 * 512  # 61 GB on each
    sharded = Step(10_000_000, gpus=8, sharded=True)
    assert sharded.head_weight_bytes() * 8 == dense.head_weight_bytes()
    # each compares all ranks' images with an eighth of the rows
    assert sharded.head_flops() == dense.head_flops()
    assert sharded.logit_bytes() == 128 * 8 * 1_250_000 * 4 == dense.logit_bytes()
    sampled = Step(10_000_000, gpus=8, sharded=True, sample_rate=0.1)
    assert sampled.head_flops() == pytest.approx(sharded.head_flops() / 10)
    assert sampled.sampled_bytes() == 2 * 4 * 125_000 * 512


def test_what_is_sent() -> None:
    assert Step(1000).communication_bytes() == 0
    two = Step(1000, batch=4, gpus=2, dim=8, backbone_millions=1.0)
    assert two.communication_bytes() == 4 * (1_000_000 + 1000 * 8)  # 2 · (1/2) of all gradients
    sharded = Step(1000, batch=4, gpus=2, dim=8, backbone_millions=1.0, sharded=True)
    assert sharded.communication_bytes() == 4 * (1_000_000 + 8 * 8)


def test_the_uneven_share_counts() -> None:
    assert Step(10, gpus=3, sharded=True).rows == 4


def test_the_page_shows_what_the_command_prints() -> None:
    assert table(batch=128, gpus=8, dim=512) in (DOCS / "scaling.md").read_text()
