import math

import numpy as np
import pytest
import torch

from lrfr_lightning.functional.margins import arcface, cosface, sphereface
from lrfr_lightning.utils.errors import ConfigError

THETA = np.linspace(0, math.pi, 361)


def cosface_loop(theta, m):
    return math.cos(theta) - m


def arcface_loop(theta, m):
    if theta > math.pi - m:
        return math.cos(theta) - m * math.sin(m)
    return math.cos(theta + m)


def sphereface_loop(theta, m):
    k = next(k for k in range(10) if k * math.pi / m <= theta <= (k + 1) * math.pi / m)
    return (-1) ** k * math.cos(m * theta) - 2 * k


CASES = [
    pytest.param(cosface, cosface_loop, 0.35, id="cosface"),
    pytest.param(cosface, cosface_loop, 0.0, id="cosface-0"),
    pytest.param(arcface, arcface_loop, 0.5, id="arcface"),
    pytest.param(arcface, arcface_loop, 0.0, id="arcface-0"),
    pytest.param(arcface, arcface_loop, 1.5, id="arcface-1.5"),
    pytest.param(sphereface, sphereface_loop, 1.7, id="sphereface"),
    pytest.param(sphereface, sphereface_loop, 4.0, id="sphereface-4"),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("function", "loop", "m"), CASES)
def test_equals_the_paper_sample_by_sample(function, loop, m, dtype):
    cosine = torch.from_numpy(np.cos(THETA)).to(dtype)
    # the angle that the rounded cosine stands for
    angles = np.arccos(cosine.double().numpy())
    expected = torch.tensor([loop(theta, m) for theta in angles], dtype=dtype)

    result = function(cosine, m)

    assert result.dtype == dtype
    tolerance = 1e-6 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(result, expected, rtol=0, atol=10 * tolerance)


@pytest.mark.parametrize(("function", "loop", "m"), CASES)
def test_a_batch_of_one_equals_the_same_sample_in_a_batch(function, loop, m):
    cosine = torch.cos(torch.linspace(0, math.pi, 7))
    alone = torch.cat([function(value.view(1), m) for value in cosine])
    torch.testing.assert_close(alone, function(cosine, m), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("function", "loop", "m"), CASES)
def test_no_samples_give_no_samples(function, loop, m):
    assert function(torch.empty(0), m).shape == (0,)


@pytest.mark.parametrize(("function", "loop", "m"), CASES)
def test_never_rises_with_the_angle(function, loop, m):
    cosine = torch.cos(torch.linspace(0, math.pi, 5001, dtype=torch.float64))
    assert function(cosine, m).diff().max() <= 1e-12


@pytest.mark.parametrize(("function", "loop", "m"), CASES)
def test_is_never_easier_than_no_margin(function, loop, m):
    cosine = torch.cos(torch.linspace(0, math.pi, 5001, dtype=torch.float64))
    assert (function(cosine, m) <= cosine + 1e-12).all()


@pytest.mark.parametrize(("function", "loop", "m"), CASES)
def test_exact_gradient(function, loop, m):
    theta = torch.linspace(0.05, math.pi - 0.05, 37, dtype=torch.float64)
    cosine = theta.cos().requires_grad_()
    assert torch.autograd.gradcheck(lambda c: function(c, m), cosine)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("function", "loop", "m"), CASES)
def test_gradient_is_finite_at_both_ends_and_one_rounding_beyond(function, loop, m, dtype):
    step = torch.finfo(dtype).eps
    ends = [1 + step, 1, 1 - step / 2, 1 - step, -1 + step, -1 + step / 2, -1, -1 - step]
    cosine = torch.tensor(ends, dtype=dtype, requires_grad=True)

    result = function(cosine, m)
    result.sum().backward()

    assert result.isfinite().all()
    assert cosine.grad.isfinite().all()
    assert cosine.grad.min() >= -1e-12


def test_arcface_exact_gradient_is_the_formula():
    theta = torch.linspace(0.1, math.pi - 0.6, 50, dtype=torch.float64)
    cosine = theta.cos().requires_grad_()
    arcface(cosine, 0.5).sum().backward()
    torch.testing.assert_close(cosine.grad, torch.sin(theta + 0.5) / torch.sin(theta))


def test_arcface_detached_has_the_same_value_and_gradient_one():
    cosine = torch.cos(torch.linspace(0, math.pi, 101)).requires_grad_()
    result = arcface(cosine, 0.5, "detached")
    result.sum().backward()
    assert torch.equal(result, arcface(cosine, 0.5))
    assert torch.equal(cosine.grad, torch.ones(101))


@pytest.mark.parametrize("gradient", ["exact", "detached"])
def test_arcface_margin_per_sample(gradient):
    theta = np.array([0.0, 0.4, 1.5, 2.7, 3.0, math.pi])
    margins = np.array([0.35, 0.5, 0.0, 0.35, 0.5, 1.0])
    expected = torch.tensor([arcface_loop(*pair) for pair in zip(theta, margins, strict=True)])
    result = arcface(torch.from_numpy(np.cos(theta)), torch.from_numpy(margins), gradient)
    torch.testing.assert_close(result, expected.double(), rtol=0, atol=1e-7)


@pytest.mark.parametrize("gradient", ["exact", "detached"])
def test_arcface_margin_tensor_has_a_gradient(gradient):
    cosine = torch.tensor([0.9, 0.3, -0.5, -0.99], dtype=torch.float64)
    margin = torch.tensor([0.1, 0.35, 0.5, 0.45], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m: arcface(cosine, m, gradient), margin)


@pytest.mark.parametrize("margin", [0.1, 0.35, 0.5, 1.0, math.pi / 2])
def test_arcface_steps_down_where_the_line_takes_over(margin):
    seam = math.pi - margin
    theta = torch.tensor([seam - 1e-6, seam + 1e-6], dtype=torch.float64)
    before, after = arcface(theta.cos(), margin)
    assert before.item() == pytest.approx(-1, abs=1e-9)
    assert after.item() == pytest.approx(-math.cos(margin) - margin * math.sin(margin), abs=1e-5)


@pytest.mark.parametrize("m", [1.0, 0.35, -1.0, math.nan])
def test_sphereface_refuses_a_multiplier_that_is_none(m):
    with pytest.raises(ConfigError, match=r"expected m > 1, got .* multiplier of the angle"):
        sphereface(torch.zeros(2), m)
