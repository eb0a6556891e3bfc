"""The benchmark of heads measures every margin, and its reference is our loss."""

import pytest
import torch
from benchmarks.head_peers import OneHotArcFace
from benchmarks.heads import MARGINS, _memory, measure

from lrfr_lightning.heads import ArcFace, MarginHead


def test_every_margin_has_a_row_with_limit_peer_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []
    monkeypatch.setattr("benchmarks.heads.peak_mb", lambda *source: measured.append(source) or 7.0)
    rows = measure(quick=True)
    assert len(measured) == len(MARGINS) + sum(row.peer != "" for row in rows) + 1
    for margin in MARGINS:
        found = [row for row in rows if row.name.startswith(f"head {margin}, ")]
        assert found
        assert all(row.ratio_to_limit and row.memory_mb and row.seconds for row in found)
        assert all(row.met == (row.ratio_to_limit <= 1.4) for row in found if row.target)
    assert {"ArcFace", "CosFace", "AdaFace", "MagFace", "SphereFace"} <= set(MARGINS)
    usual = next(row for row in rows if row.peer.startswith("one-hot ArcFace"))
    assert usual.ratio_to_peer > 0
    assert usual.peer_memory_mb == 7.0


def test_memory_holds_the_gradient_of_the_weights_and_one_matrix() -> None:
    classes, batch, dim = 50_001, 32, 64
    gradient, matrix = 4e-6 * classes * dim, 4e-6 * classes * batch
    found = _memory(f"our_head('ArcFace', {dim}, {classes})", classes, batch, dim)
    assert gradient + matrix < found + 1 < gradient + 2 * matrix


def test_the_usual_way_has_our_loss_and_gradient() -> None:
    torch.manual_seed(0)
    reference, head = OneHotArcFace(8, 20).double(), MarginHead(8, 20, ArcFace()).double()
    head.classifier.load_state_dict({"weight": reference.weight})
    embedding, label = torch.randn(5, 8).double(), torch.randint(20, (5,))
    losses = [one(embedding, label) for one in (reference, head)]
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(losses[1], losses[0])
    torch.testing.assert_close(head.classifier.weight.grad, reference.weight.grad)
