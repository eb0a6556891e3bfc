"""The relation to anchors against a loop."""

import math

import numpy as np
import pytest
import torch

from lrfr_lightning.functional.relation import relation


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def shares(row, anchors, temperature):
    """Softmax of the cosines, one by one."""
    cosines = [
        sum(a * b for a, b in zip(row, anchor, strict=True))
        / math.sqrt(sum(a * a for a in row) * sum(b * b for b in anchor))
        for anchor in anchors
    ]
    powers = [math.exp(cosine / temperature) for cosine in cosines]
    return [power / sum(powers) for power in powers]


def relation_loop(student, teacher, anchors, temperature):
    total = 0.0
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        wanted = shares(t, anchors.tolist(), temperature)
        found = shares(s, anchors.tolist(), temperature)
        total += sum(p * math.log(p / q) for p, q in zip(wanted, found, strict=True))
    return total / len(student)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
@pytest.mark.parametrize("images", [1, 5])
def test_value_is_the_loops(images, temperature):
    student, teacher, anchors = draw(images, 8), 3 * draw(images, 8, seed=1), draw(7, 8, seed=2)
    value = relation(student, teacher, anchors, temperature)
    assert value.item() == pytest.approx(relation_loop(student, teacher, anchors, temperature))


def test_gradient_is_exact_and_the_teachers_own_embedding_has_none():
    teacher, anchors = draw(4, 6), draw(9, 6, seed=1)
    student = draw(4, 6, seed=2).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: relation(s, teacher, anchors, 0.1), student)
    same = (2 * teacher).requires_grad_()
    value = relation(same, teacher, anchors, 0.1)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-12)
    assert same.grad.abs().max() < 1e-12


def test_a_direction_without_anchors_does_not_count():
    """A turn out of the plane of the anchors, by the same angle for each, is no other relation."""
    anchors = torch.eye(3)[:2].double()
    teacher = torch.tensor([[1.0, 1.0, 0.5]]).double()
    mirrored = torch.tensor([[1.0, 1.0, -0.5]]).double()
    turned = torch.tensor([[1.0, 0.5, 1.0]]).double()
    assert relation(mirrored, teacher, anchors, 0.1).item() == pytest.approx(0, abs=1e-12)
    assert relation(turned, teacher, anchors, 0.1) > 0.1


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_it_is_computed_in_float32(dtype):
    student, teacher, anchors = draw(4, 8).to(dtype), draw(4, 8, seed=1), draw(9, 8, seed=2).half()
    with torch.autocast("cpu", torch.bfloat16):
        value = relation(student, teacher, anchors, 0.01)
    assert value.dtype == torch.float32
    assert np.isclose(value, relation_loop(student.double(), teacher, anchors.double(), 0.01))
