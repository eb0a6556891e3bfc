"""Octuplet loss against loops over triplets."""

import itertools
import math

import numpy as np
import pytest
import torch

from lrfr_lightning.functional.octuplet import distance, octuplet
from lrfr_lightning.functional.siamese import feature_loss

METRICS = ["euclidean", "squared", "cosine"]
DISTANCES = {
    "euclidean": lambda a, b: math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True))),
    "squared": lambda a, b: sum((x - y) ** 2 for x, y in zip(a, b, strict=True)),
    "cosine": lambda a, b: 1 - sum(x * y for x, y in zip(a, b, strict=True)),
}


def octuplet_loop(high, low, label, margin, metric, skip_own_copy=True):
    """The paper, triplet by triplet: the worst of all triplets of an anchor."""
    views = [v.detach().double().numpy() for v in (high, low)]
    views = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in views]
    d, total = DISTANCES[metric], 0.0
    for anchors, others in itertools.product(views, views):
        losses = []
        for i, a in enumerate(anchors):
            worst = None
            for j, p in enumerate(others):
                for k, n in enumerate(others):
                    own = i == j and (skip_own_copy or anchors is others)
                    if own or label[j] != label[i] or label[k] == label[i]:
                        continue
                    loss = max(0.0, d(a, p) - d(a, n) + margin)
                    worst = loss if worst is None else max(worst, loss)
            if worst is not None:
                losses.append(worst)
        total += sum(losses) / len(losses) if losses else 0.0
    return total


def views(identities=4, images=3, dim=6, seed=0, dtype=torch.float64):
    """Embeddings of any length around one direction for each identity."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.arange(identities).repeat_interleave(images)
    label = label[torch.randperm(len(label), generator=generator)]
    centre = torch.randn(identities, dim, generator=generator, dtype=dtype)[label]
    high, low = (
        (centre + torch.randn(len(label), dim, generator=generator, dtype=dtype)) * 3
        for _ in range(2)
    )
    return high, low, label


@pytest.mark.parametrize("margin", [0.5, 0.05])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("metric", METRICS)
def test_equals_a_loop_over_all_triplets(metric, seed, margin):
    high, low, label = views(seed=seed)
    value = octuplet(high, low, label, margin, metric)
    expected = octuplet_loop(high, low, label.tolist(), margin, metric)
    assert value.dtype == torch.float64
    assert value.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_gradient_is_that_of_the_loop(metric):
    high, low, label = views(identities=3, images=2, dim=4, seed=1)
    high.requires_grad_()
    low.requires_grad_()
    octuplet(high, low, label, 0.5, metric).backward()
    step = 1e-6
    for view, tensor in enumerate((high, low)):
        for i, j in itertools.product(range(len(label)), range(4)):
            ends = []
            for sign in (1, -1):
                moved = [high.detach().clone(), low.detach().clone()]
                moved[view][i, j] += sign * step
                ends.append(octuplet_loop(*moved, label.tolist(), 0.5, metric))
            assert tensor.grad[i, j].item() == pytest.approx(
                (ends[0] - ends[1]) / (2 * step), abs=1e-7
            )
    assert high.grad.abs().sum() > 0
    assert low.grad.abs().sum() > 0


@pytest.mark.parametrize("metric", METRICS)
def test_gradcheck(metric):
    high, low, label = views(seed=2)
    inputs = (high.requires_grad_(), low.requires_grad_())
    assert torch.autograd.gradcheck(lambda a, b: octuplet(a, b, label, 0.5, metric), inputs)


@pytest.mark.parametrize("metric", METRICS)
def test_the_own_copy_is_never_a_positive(metric):
    """The low copy of image 0 is opposite to all of its identity: as a positive it would rule."""
    angle = torch.tensor([0.0, 0.1, 1.5, 1.6], dtype=torch.float64)
    high = torch.stack([angle.cos(), angle.sin()], dim=1)
    low = high.clone()
    low[0] = -high[0]
    label = [0, 0, 1, 1]
    value = octuplet(high, low, torch.tensor(label), 2.5, metric).item()
    assert value == pytest.approx(octuplet_loop(high, low, label, 2.5, metric))
    taken = octuplet_loop(high, low, label, 2.5, metric, skip_own_copy=False)
    assert taken > value + 0.3


EDGES = [
    pytest.param([0, 1, 2, 3], id="one-image-per-identity"),
    pytest.param([7, 7, 7, 7], id="one-identity"),
    pytest.param([-1, -1, -1, -1], id="no-labels"),
    pytest.param([0], id="one-image"),
]


@pytest.mark.parametrize("label", EDGES)
@pytest.mark.parametrize("metric", METRICS)
def test_without_a_triplet_loss_and_gradient_are_zero(metric, label):
    high = torch.randn(len(label), 5, requires_grad=True)
    low = torch.randn(len(label), 5, requires_grad=True)
    value = octuplet(high, low, torch.tensor(label), metric=metric)
    value.backward()
    assert value.item() == 0
    assert torch.equal(high.grad, torch.zeros_like(high))
    assert torch.equal(low.grad, torch.zeros_like(low))


@pytest.mark.parametrize("label", [[0, 0, 1, 1], *(e.values[0] for e in EDGES)])
@pytest.mark.parametrize("metric", METRICS)
def test_equal_embeddings_have_a_finite_gradient(metric, label):
    high = torch.ones(len(label), 5, requires_grad=True)
    low = torch.ones(len(label), 5, requires_grad=True)
    value = octuplet(high, low, torch.tensor(label), 0.5, metric)
    value.backward()
    assert value.item() == pytest.approx(2.0 if label == [0, 0, 1, 1] else 0.0)
    assert high.grad.isfinite().all()
    assert low.grad.isfinite().all()


@pytest.mark.parametrize("metric", METRICS)
def test_images_without_a_label_change_nothing(metric):
    high, low, label = views()
    value = octuplet(high, low, label, 0.5, metric)
    stranger = torch.randn(3, 6, dtype=torch.float64)
    more = torch.cat([label, torch.full((3,), -1)])
    joined = octuplet(torch.cat([high, stranger]), torch.cat([low, stranger]), more, 0.5, metric)
    torch.testing.assert_close(joined, value)


def test_anchors_without_a_positive_do_not_count():
    high, low, label = views(identities=3, images=2, seed=3)
    single = torch.tensor([3])
    extra = torch.randn(1, 6, dtype=torch.float64)
    joined = [torch.cat([high, extra]), torch.cat([low, extra])]
    label = torch.cat([label, single])
    expected = octuplet_loop(*joined, label.tolist(), 0.5, "euclidean")
    assert octuplet(*joined, label).item() == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
def test_length_does_not_matter_and_autocast_neither(metric):
    high, low, label = views(dtype=torch.float32)
    expected = octuplet(high, low, label, 0.5, metric)
    torch.testing.assert_close(octuplet(high * 9, low / 7, label, 0.5, metric), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(octuplet(high, low, label, 0.5, metric), expected)
    half = octuplet(high.bfloat16(), low.bfloat16(), label, 0.5, metric)
    assert half.dtype == torch.float32
    torch.testing.assert_close(
        half, octuplet(high.bfloat16().float(), low.bfloat16().float(), label, 0.5, metric)
    )


def test_distances_of_unit_vectors():
    first = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    second = torch.tensor([[-1.0, 0.0], [0.0, 1.0]])
    assert distance(first, second, "euclidean").tolist() == pytest.approx([2, math.sqrt(2)])
    assert distance(first, second, "squared").tolist() == [4, 2]
    assert distance(first, second, "cosine").tolist() == [2, 1]


def test_feature_loss():
    first = torch.tensor([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0]], dtype=torch.float64)
    second = torch.tensor([[5.0, 0.0], [0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    assert feature_loss(first, second).item() == pytest.approx((0 + 2 + 1 - math.sqrt(0.5)) / 3)
    inputs = (first.requires_grad_(), second.requires_grad_())
    assert torch.autograd.gradcheck(feature_loss, inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert feature_loss(first.bfloat16(), second.bfloat16()).dtype == torch.float32
