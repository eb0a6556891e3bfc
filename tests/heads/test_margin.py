import copy
import inspect
import itertools
import math

import numpy as np
import pytest
import torch
from paper_margins import EVERY_MARGIN, EXACT, QUALITIES, quality_of_some

from lrfr_lightning.functional.margins import arcface, cosface, sphereface
from lrfr_lightning.heads import (
    AdaFace,
    AnnealedSphereFace,
    ArcFace,
    BoundedLaplacianArcFace,
    CosFace,
    LaplacianArcFace,
    MagFace,
    Margin,
    ResolutionArcFace,
    SphereFace,
)
from lrfr_lightning.utils.errors import ConfigError

COSINE = torch.cos(torch.linspace(0, math.pi, 31))
NORMS = [0.0, 2.5, 17.0, 31.0, 64.0, 250.0]
STATEFUL = [AdaFace, BoundedLaplacianArcFace, AnnealedSphereFace]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_equals_the_paper_from_0_to_pi_at_any_norm_and_quality(margin, paper, dtype):
    qualities = QUALITIES.get(margin.quality_key, [0.0])
    # an even number leaves out π/2, where ArcFace steps down if its margin is π/2 too
    grid = itertools.product(np.linspace(0, math.pi, 60), NORMS, qualities)
    theta, norm, quality = torch.tensor(list(grid), dtype=torch.float64).T
    cosine = theta.cos().to(dtype)
    # the angle that the rounded cosine stands for
    angles = np.arccos(cosine.double().numpy())
    samples = zip(angles, norm.tolist(), quality.tolist(), strict=True)
    expected = torch.tensor([paper.target(*sample) for sample in samples], dtype=dtype)

    result = copy.deepcopy(margin).eval()(cosine, norm.to(dtype), quality.to(dtype))

    assert result.dtype == dtype
    # the running statistics are float32 numbers
    tolerance = 1e-5 if dtype == torch.float32 else 2e-8
    torch.testing.assert_close(result, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_scale_and_regulariser_are_the_papers(margin, paper):
    norm = torch.tensor([0.1, 9.9, 40.0, 500.0], dtype=torch.float64)
    scale = margin.logit_scale(norm) * torch.ones_like(norm)
    assert scale.tolist() == [paper.scale(value) for value in norm.tolist()]
    expected = [paper.regulariser(value) for value in norm.tolist()]
    assert margin.regulariser(norm).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_a_batch_of_one_equals_the_same_sample_in_a_batch(margin, paper):
    margin = copy.deepcopy(margin).eval()
    norm, quality = torch.linspace(1, 90, 31), quality_of_some(margin, 31)
    together = margin(COSINE, norm, quality)
    for i in range(31):
        one = slice(i, i + 1)
        alone = margin(COSINE[one], norm[one], None if quality is None else quality[one])
        torch.testing.assert_close(alone, together[one], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("margin", "paper"), EXACT)
def test_exact_gradient_of_cosine_and_norm(margin, paper):
    margin = copy.deepcopy(margin).eval()
    cosine = torch.linspace(0.15, math.pi - 0.15, 12, dtype=torch.float64).cos().requires_grad_()
    norm = torch.linspace(11, 101, 12, dtype=torch.float64)
    quality = quality_of_some(margin, 12, torch.float64)
    assert torch.autograd.gradcheck(lambda c: margin(c, norm, quality), cosine)
    if isinstance(margin, MagFace):
        norm.requires_grad_()
        assert torch.autograd.gradcheck(lambda n: margin(cosine.detach(), n), norm)
        assert torch.autograd.gradcheck(margin.regulariser, norm)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_gradients_are_finite_at_both_ends_and_one_rounding_beyond(margin, paper, dtype, training):
    step = torch.finfo(dtype).eps
    ends = [1 + step, 1, 1 - step / 2, 1 - step, -1 + step, -1 + step / 2, -1, -1 - step]
    cosine = torch.tensor(ends * 6, dtype=dtype, requires_grad=True)
    norm = torch.tensor(NORMS, dtype=dtype).repeat_interleave(8).requires_grad_()
    margin = copy.deepcopy(margin).train(training)
    result = margin(cosine, norm, quality_of_some(margin, 48, dtype))
    (result * margin.logit_scale(norm) + margin.regulariser(norm)).sum().backward()
    assert result.isfinite().all()
    assert cosine.grad.isfinite().all()
    assert norm.grad is None or norm.grad.isfinite().all()


@pytest.mark.parametrize("size", [0, 1, 2])
@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_small_batches_in_training_leave_every_number_finite(margin, paper, size):
    margin = copy.deepcopy(margin).train()
    for _ in range(3):
        cosine = torch.linspace(-0.5, 0.5, size).requires_grad_()
        norm = torch.linspace(3, 30, size).requires_grad_()
        result = margin(cosine, norm, quality_of_some(margin, size))
        result.sum().backward()
        assert result.shape == (size,)
        assert result.isfinite().all()
        assert cosine.grad.isfinite().all()
    assert all(buffer.isfinite() for buffer in margin.buffers())


@pytest.mark.parametrize(
    ("margin", "expected"),
    [
        (CosFace(margin=0.4), cosface(COSINE, 0.4)),
        (ArcFace(margin=0.35), arcface(COSINE, 0.35)),
        (ArcFace(gradient="detached"), arcface(COSINE, 0.5, "detached")),
        (SphereFace(), sphereface(COSINE, 1.7)),
    ],
)
def test_is_a_thin_class_over_its_function(margin, expected):
    assert torch.equal(margin(COSINE, torch.ones(31)), expected)


@pytest.mark.parametrize(
    ("cls", "defaults"),
    [
        (CosFace, {"margin": 0.35, "scale": 64.0}),
        (ArcFace, {"margin": 0.5, "scale": 64.0, "gradient": "exact"}),
        (SphereFace, {"margin": 1.7, "scale": 30.0}),
        (AdaFace, {"margin": 0.4, "h": 0.333, "scale": 64.0, "t_alpha": 0.01, "sync": True}),
        (
            MagFace,
            {
                "lower_norm": 10, "upper_norm": 110, "lower_margin": 0.45, "upper_margin": 0.8,
                "regulariser_weight": 35, "scale": 64.0, "gradient": "exact",
            },
        ),
        (
            ResolutionArcFace,
            {
                "margin": 0.35, "degraded_margin": 0.5, "full_resolution": 112, "scale": 64.0,
                "gradient": "exact",
            },
        ),
        (LaplacianArcFace, {"max_margin": math.pi / 2, "scale": 64.0, "gradient": "exact"}),
        (
            BoundedLaplacianArcFace,
            {
                "lower_margin": 0.35, "upper_margin": 0.5, "h": 0.333, "t_alpha": 0.01,
                "sync": True, "scale": 64.0, "gradient": "exact",
            },
        ),
    ],
)  # fmt: skip
def test_defaults_are_the_papers(cls, defaults):
    parameters = inspect.signature(cls).parameters.values()
    assert {p.name: p.default for p in parameters} == defaults
    assert cls().scale == defaults["scale"]


@pytest.mark.parametrize("margin", [CosFace(), ArcFace(), SphereFace()])
def test_has_no_weights_no_wish_and_no_regulariser(margin: Margin):
    assert not list(margin.parameters())
    assert margin.quality_key is None
    assert torch.equal(margin.regulariser(torch.ones(3)), torch.zeros(3))


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_eval_mode_changes_no_buffer(margin, paper):
    margin = copy.deepcopy(margin).eval()
    before = {name: tensor.clone() for name, tensor in margin.state_dict().items()}
    margin(COSINE, torch.full((31,), 20.0), quality_of_some(margin, 31))
    after = margin.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not list(margin.parameters())


@pytest.mark.parametrize("cls", STATEFUL)
def test_training_mode_moves_every_buffer(cls):
    margin = cls()
    before = {name: tensor.clone() for name, tensor in margin.state_dict().items()}
    margin(COSINE, torch.linspace(1, 9, 31), quality_of_some(margin, 31))
    assert before
    assert all(not torch.equal(before[n], value) for n, value in margin.state_dict().items())


def test_annealed_sphereface_ends_at_a_sixth_of_the_margin():
    margin, norm = AnnealedSphereFace(), torch.ones(1)
    target = [margin(torch.zeros(1), norm).item() for _ in range(3)]
    # φ(π/2) = -3 for m = 4, so the target is -3 / (1 + λ) with λ = 1000, 1000/1.12, 1000/1.24
    assert target == pytest.approx([-3 / (1 + 1000 / (1 + 0.12 * step)) for step in range(3)])
    margin.step.fill_(10**9)
    assert margin(torch.zeros(1), norm).item() == pytest.approx(-3 / 6)


def test_adaface_does_not_train_through_the_norm():
    norm = torch.linspace(1, 90, 31).requires_grad_()
    assert not AdaFace()(COSINE, norm).requires_grad


@pytest.mark.parametrize(
    "cls",
    [
        AdaFace, ArcFace, BoundedLaplacianArcFace, CosFace, LaplacianArcFace, MagFace,
        ResolutionArcFace, SphereFace,
    ],
)  # fmt: skip
@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan])
def test_refuses_a_scale_that_is_none(cls, scale):
    with pytest.raises(ConfigError, match=f"{cls.__name__} scale: expected s > 0, got"):
        cls(scale=scale)


@pytest.mark.parametrize(
    ("cls", "margin", "message"),
    [
        (CosFace, -0.1, "CosFace margin: expected m ≥ 0, got -0.1"),
        (ArcFace, -0.1, r"ArcFace margin: expected radians in 0\.\.π/2, got -0.1"),
        (ArcFace, 28.6, r"ArcFace margin: expected radians in 0\.\.π/2, got 28.6"),
        (SphereFace, 0.35, "expected m > 1, got 0.35; m is a multiplier"),
    ],
)
def test_refuses_a_margin_out_of_range(cls, margin, message):
    with pytest.raises(ConfigError, match=message):
        cls(margin=margin)


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (AdaFace, {"margin": -1}, r"AdaFace margin: expected radians in 0\.\.π/2, got -1"),
        (AdaFace, {"h": 0}, "expected h > 0, got 0"),
        (AdaFace, {"t_alpha": 0}, "expected 0 < t_alpha ≤ 1, got 0"),
        (BoundedLaplacianArcFace, {"t_alpha": 1.5}, "expected 0 < t_alpha ≤ 1, got 1.5"),
        (BoundedLaplacianArcFace, {"lower_margin": 0.6}, "lower ≤ upper, got 0.6 and 0.5"),
        (BoundedLaplacianArcFace, {"upper_margin": 2}, "upper_margin: expected radians"),
        (MagFace, {"lower_norm": 0}, "expected 0 < lower < upper, got 0 and 110"),
        (MagFace, {"upper_norm": 10}, "expected 0 < lower < upper, got 10.0 and 10"),
        (MagFace, {"lower_margin": 0.9}, "lower ≤ upper, got 0.9 and 0.8"),
        (MagFace, {"upper_margin": 45}, "MagFace upper_margin: expected radians"),
        (MagFace, {"regulariser_weight": -1}, "regulariser_weight: expected ≥ 0, got -1"),
        (ResolutionArcFace, {"degraded_margin": 28}, "degraded_margin: expected radians"),
        (ResolutionArcFace, {"full_resolution": 0}, "expected the side of an image in px, got 0"),
        (LaplacianArcFace, {"max_margin": math.inf}, "max_margin: expected radians"),
        (AnnealedSphereFace, {"margin": 1}, "expected m > 1, got 1"),
        (AnnealedSphereFace, {"start": 1}, "start ≥ lowest ≥ 0 and decay ≥ 0, got start=1"),
    ],
)
def test_refuses_arguments_out_of_range(cls, arguments, message):
    with pytest.raises(ConfigError, match=message):
        cls(**arguments)
