"""Margins that follow the sample: known answers; the sweep is in tests/heads/test_margin.py."""

import math

import pytest
import torch

from lrfr_lightning.functional.adaptive import (
    adaface,
    bounded_margin,
    laplacian_margin,
    log_sharpness,
    magface_margin,
    magface_regulariser,
)
from lrfr_lightning.functional.margins import arcface, cosface

THETA = torch.linspace(0.5, math.pi - 0.5, 20, dtype=torch.float64)


def test_adaface_goes_from_arcface_over_cosface_to_an_easier_angle():
    cosine, ones = THETA.cos(), torch.ones_like(THETA)
    torch.testing.assert_close(adaface(cosine, -ones, 0.4), arcface(cosine, 0.4))
    torch.testing.assert_close(adaface(cosine, 0 * ones, 0.4), cosface(cosine, 0.4))
    torch.testing.assert_close(adaface(cosine, ones, 0.4), torch.cos(THETA - 0.4) - 0.8)


def test_magface_margin_is_linear_between_its_corners():
    norm = torch.tensor([0.0, 10.0, 60.0, 110.0, 500.0])
    margin = magface_margin(norm, 10, 110, 0.45, 0.8)
    assert margin.tolist() == pytest.approx([0.45, 0.45, 0.625, 0.8, 0.8])


def test_magface_regulariser_is_least_at_the_upper_norm():
    norm = torch.linspace(10, 110, 1001, dtype=torch.float64, requires_grad=True)
    value = magface_regulariser(norm, 10, 110)
    value.sum().backward()
    assert value.argmin() == 1000
    assert norm.grad[-1].item() == pytest.approx(0, abs=1e-12)
    assert (norm.grad[1:-1] < 0).all()


def test_laplacian_margin_of_the_slides_example():
    margin = laplacian_margin(torch.tensor([15.721, 2.317, 0.0]), math.pi / 2)
    assert margin.tolist() == pytest.approx([0.064, 0.43, math.pi / 2], abs=2e-3)


def test_log_sharpness_of_a_flat_image_is_finite():
    assert log_sharpness(torch.tensor([0.0, 0.1, 1.0])).tolist() == pytest.approx(
        [math.log(0.1), math.log(0.1), 0.0]
    )


def test_bounded_margin_is_large_for_low_quality():
    margin = bounded_margin(torch.tensor([-1.0, 0.0, 1.0]), 0.35, 0.5)
    assert margin.tolist() == pytest.approx([0.5, 0.425, 0.35])
