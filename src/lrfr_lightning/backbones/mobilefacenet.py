"""MobileFaceNet: a million parameters, for CPUs and phones."""

from torch import Tensor, nn

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.cpu import DepthwiseConv2d, PReLU
from lrfr_lightning.backbones.input_check import check_images
from lrfr_lightning.transforms.pixel_spec import PixelSpec

STAGES = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
"""Expansion, channels, repeats and first stride of each bottleneck stage (table 1)."""

NARROW_PIXELS = PixelSpec(size=(112, 96), std=(128.0, 128.0, 128.0))
"""112 rows x 96 columns, (x - 127.5) / 128: the format of the usual CASIA-WebFace weights."""


class ConvBlock(nn.Module):
    """Convolution - BN - PReLU, the last only if not ``linear``."""

    def __init__(self, convolution: nn.Conv2d, linear: bool = False) -> None:
        super().__init__()
        self.conv = convolution
        self.bn = nn.BatchNorm2d(convolution.out_channels)
        self.prelu = nn.Identity() if linear else PReLU(convolution.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` in and out."""
        y: Tensor = self.prelu(self.bn(self.conv(x)))
        return y


class Bottleneck(nn.Module):
    """Inverted residual of MobileNetV2 (1801.04381) with PReLU: widen, filter, narrow."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        self.residual = stride == 1 and in_channels == out_channels
        wide = in_channels * expansion
        self.conv = nn.Sequential(
            nn.Conv2d(in_channels, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            PReLU(wide),
            DepthwiseConv2d(wide, 3, stride),
            nn.BatchNorm2d(wide),
            PReLU(wide),
            nn.Conv2d(wide, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` in and out; the input is added where the shapes agree."""
        y: Tensor = self.conv(x)
        return x + y if self.residual else y


class MobileFaceNet(Backbone):
    """Chen et al., 1804.07573, table 1: 999,552 parameters with the defaults.

    A global *depthwise* convolution (``linear7``) takes the place of average pooling, so that the
    middle of the face may weigh more than its border; its kernel is the size of the last map, 7x6
    for 112x96 and 7x7 for 112x112.

    Args:
        embedding_dim: D.
        pixel_spec: the input; its size sets the kernel of ``linear7``.
    """

    def __init__(self, embedding_dim: int = 128, pixel_spec: PixelSpec = NARROW_PIXELS) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        self.pixel_spec = pixel_spec
        height, width = (-(-side // 16) for side in pixel_spec.size)
        self.conv1 = ConvBlock(nn.Conv2d(3, 64, 3, 2, padding=1, bias=False))
        self.dw_conv1 = ConvBlock(DepthwiseConv2d(64, 3, 1))
        self.blocks = _bottlenecks(64)
        self.conv2 = ConvBlock(nn.Conv2d(128, 512, 1, bias=False))
        global_filter = nn.Conv2d(512, 512, (height, width), groups=512, bias=False)
        self.linear7 = ConvBlock(global_filter, linear=True)
        self.linear1 = ConvBlock(nn.Conv2d(512, embedding_dim, 1, bias=False), linear=True)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images ``(B, 3, *pixel_spec.size)`` → un-normalised embeddings ``(B, D)``.

        Raises:
            ConfigError: the images have another shape, or are not floating point.
        """
        check_images(images, self.pixel_spec)
        x = self.conv2(self.blocks(self.dw_conv1(self.conv1(images))))
        embedding: Tensor = self.linear1(self.linear7(x)).flatten(1)
        return embedding


def _bottlenecks(in_channels: int) -> nn.Sequential:
    blocks = []
    for expansion, channels, repeats, first_stride in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            blocks.append(Bottleneck(in_channels, channels, stride, expansion))
            in_channels = channels
    return nn.Sequential(*blocks)
