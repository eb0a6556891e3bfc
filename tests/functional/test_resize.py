"""Resizing agrees with what the two libraries are known to do."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from lrfr_lightning.functional.resize import BICUBIC, Kernel, degrade, resize
from lrfr_lightning.utils.errors import ConfigError


@pytest.fixture
def face() -> np.ndarray:
    return np.random.default_rng(0).integers(80, 176, (112, 112, 3)).astype(np.uint8)


def as_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float()


@pytest.mark.parametrize("name", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("side", [7, 14, 28, 56])
def test_matches_an_independent_implementation(
    face: np.ndarray, name: str, antialias: bool, side: int
) -> None:
    expected = interpolate(as_tensor(face), (side, side), mode=name, antialias=antialias)
    ours = as_tensor(resize(face, side, side, Kernel(name, antialias)))
    # mid greys: one library clips and rounds after each of its two passes
    assert (ours - expected).abs().max() <= 1.5


def test_box_averages_blocks(face: np.ndarray) -> None:
    blocks = face.reshape(14, 8, 14, 8, 3).astype(float).mean(axis=(1, 3))
    ours = resize(face, 14, 14, Kernel("box"))
    assert np.abs(ours - blocks).max() <= 1.0


def test_antialias_matters(face: np.ndarray) -> None:
    smooth = resize(face, 7, 7, Kernel("bilinear", antialias=True))
    skipped = resize(face, 7, 7, Kernel("bilinear", antialias=False))
    assert smooth.std() < skipped.std() / 2


def test_degrade_loses_detail_and_keeps_size(face: np.ndarray) -> None:
    spread = [degrade(face, side, BICUBIC, BICUBIC).std() for side in (112, 56, 28, 14, 7)]
    assert spread == sorted(spread, reverse=True)
    assert degrade(face, 7, BICUBIC, BICUBIC).shape == face.shape
    assert np.array_equal(degrade(face, 112, BICUBIC, BICUBIC), face)


@pytest.mark.parametrize("side", [0, 113])
def test_resolution_must_fit_the_image(face: np.ndarray, side: int) -> None:
    with pytest.raises(ConfigError, match=f"resolution {side} px does not fit .* expected 1..112"):
        degrade(face, side, BICUBIC, BICUBIC)


def test_kernel_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="kernel 'box' with antialias=False: expected one of"):
        Kernel("box", antialias=False)
    assert str(Kernel("bilinear", antialias=False)) == "bilinear, no antialias"
