"""Two layers that compute what torch's own do, and train faster on a CPU.

``python -m benchmarks layers`` measures them beside torch's own on MobileFaceNet.
"""

import os
import shutil
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

from lrfr_lightning.utils.errors import ConfigError


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution without bias, computed in float32 where it strides.

    Under bf16 autocast on a CPU, torch's backward pass of a depthwise convolution of stride 2 is
    five to seventeen times slower than the same in float32. The result has the dtype of autocast.

    Args:
        channels: in and out.
        kernel: side of the filter, px.
        stride: 1 or 2.
    """

    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__(
            channels, channels, kernel, stride, padding=kernel // 2, groups=channels, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` in and out."""
        if self.stride == (1, 1) or x.device.type != "cpu" or x.dtype != torch.bfloat16:
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            y: Tensor = self._conv_forward(x.float(), self.weight.float(), None)
            return y.to(x.dtype)


class PReLU(nn.PReLU):
    """``max(0, x) + w · min(0, x)``, w per channel (He et al., 1502.01852, ICCV 2015).

    Attributes:
        fused: train, or pass gradients on where the weight is frozen, with one compiled kernel
            instead of torch's, whose backward pass on a CPU takes several times as long; set by
            :func:`fuse_prelu`.
    """

    fused = False

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, ...)`` in and out."""
        frozen = not self.weight.requires_grad
        passing = self.training or (frozen and x.requires_grad)
        if self.fused and passing and x.device.type == "cpu":
            # for a weight without gradient the kernel's backward pass takes eight times as long
            weight = self.weight.detach().requires_grad_() if frozen else self.weight
            return _kernel()(x, weight)
        return super().forward(x)


def fuse_prelu(module: nn.Module) -> None:
    """Let every :class:`PReLU` in ``module`` use the compiled kernel; compiling takes seconds.

    Raises:
        ConfigError: there is no C++ compiler.
    """
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise ConfigError(
            f"fused_prelu needs a C++ compiler, and there is no {compiler!r} on the PATH; "
            "install one (or name it in CXX), or set fused_prelu: false"
        )
    for part in module.modules():
        if isinstance(part, PReLU):
            part.fused = True


def _prelu(x: Tensor, weight: Tensor) -> Tensor:
    shape = (1, -1, *([1] * (x.ndim - 2)))
    return x.clamp(min=0) + weight.to(x.dtype).view(shape) * x.clamp(max=0)


@cache
def _kernel() -> Callable[[Tensor, Tensor], Tensor]:
    """One kernel for all sizes, compiled when it is first called."""
    return torch.compile(_prelu, dynamic=True)
