"""Distance of a restored image from the one it was made of."""

import torch
from torch import Tensor

_GREY_LEVELS = 255.0


def charbonnier(restored: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """``mean(sqrt(((x - y) / 255)² + ε²))``: the L1 distance, smooth at zero.

    Lai et al., "Deep Laplacian Pyramid Networks", CVPR 2017 (1704.03915), equation 2.

    Args:
        restored: ``(B, 3, H, W)`` float, 0..255.
        target: ``(B, 3, H, W)`` of any type, 0..255.
        epsilon: ε, as a share of the grey levels.

    Returns:
        Scalar, ε for equal images.
    """
    difference = (restored - target.to(restored.dtype)) / _GREY_LEVELS
    return torch.sqrt(difference.square() + epsilon**2).mean()
