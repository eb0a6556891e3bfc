import inspect
import math

import pytest
import torch

from lrfr_lightning.functional.margins import arcface, cosface, sphereface
from lrfr_lightning.heads import ArcFace, CosFace, Margin, SphereFace
from lrfr_lightning.utils.errors import ConfigError

COSINE = torch.cos(torch.linspace(0, math.pi, 31))


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
    ],
)
def test_defaults_are_the_papers(cls, defaults):
    parameters = inspect.signature(cls).parameters.values()
    assert {p.name: p.default for p in parameters} == defaults
    assert cls().scale == defaults["scale"]


@pytest.mark.parametrize("margin", [CosFace(), ArcFace(), SphereFace()])
def test_has_no_weights_no_wish_and_no_regulariser(margin: Margin):
    assert not list(margin.parameters())
    assert margin.quality_key is None
    assert torch.equal(margin.regulariser(torch.ones(3)), torch.zeros(3))


@pytest.mark.parametrize("margin", [CosFace(), ArcFace(), SphereFace()])
def test_eval_mode_changes_no_buffer(margin: Margin):
    margin.eval()
    before = {name: tensor.clone() for name, tensor in margin.state_dict().items()}
    margin(COSINE, torch.full((31,), 20.0))
    after = margin.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("cls", [CosFace, ArcFace, SphereFace])
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
