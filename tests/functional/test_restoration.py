"""The Charbonnier distance."""

import math

import pytest
import torch

from lrfr_lightning.functional.restoration import charbonnier


def test_equals_a_loop_over_pixels_and_bears_uint8() -> None:
    torch.manual_seed(0)
    restored, target = (torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8) for _ in range(2))
    pairs = zip(restored.flatten().tolist(), target.flatten().tolist(), strict=True)
    expected = sum(math.sqrt(((x - y) / 255) ** 2 + 1e-6) for x, y in pairs) / restored.numel()
    assert charbonnier(restored.float(), target).item() == pytest.approx(expected, rel=1e-5)
    assert charbonnier(target.float(), target).item() == pytest.approx(1e-3)


def test_gradient() -> None:
    restored = torch.rand(1, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    target = torch.rand(1, 3, 2, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: charbonnier(x, target, 0.1), restored)
