"""IResNet: the residual network of face recognition."""

from typing import Literal

from torch import Tensor, nn

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.cpu import PReLU
from lrfr_lightning.backbones.input_check import check_images
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
"""Blocks in each of the four stages, by depth."""

DEFAULT_PIXELS = PixelSpec()


class IRBlock(nn.Module):
    """Improved residual block of ArcFace (Deng et al., 1801.07698, section 3.1).

    BN - conv3x3 - BN - PReLU - conv3x3 (stride) - BN, plus a shortcut; ``(B, C, H, W)`` →
    ``(B, out_channels, ceil(H / stride), ceil(W / stride))``.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.prelu = PReLU(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Residual branch plus shortcut."""
        inner = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        total: Tensor = self.bn3(self.conv2(inner)) + self.downsample(x)
        return total


class IResNet(Backbone):
    """Face ResNet: 3x3 stem without pooling, four stages that each halve the map, BN at the end.

    He et al., 1603.05027, as adapted by ArcFace (1801.07698): IR-50 is the "ResNet50-IR" of the
    literature. 112x112 → 56 → 28 → 14 → 7; then BN, dropout, flatten, linear, BN1d whose weight
    stays 1. Convolutions start from N(0, 0.1²); a BN follows each.

    Tensors are named and shaped as in InsightFace's ``arcface_torch`` (``conv1``, ``bn1``,
    ``prelu``, ``layer1`` to ``layer4``, ``bn2``, ``fc``, ``features``), so its files fit as they
    are.

    Args:
        depth: number of layers by name.
        embedding_dim: D.
        dropout: probability before the linear layer, 0..1.
        width: channels of the stem; the stages have 1, 2, 4 and 8 times as many. 64 in the
            literature; 8 trains on a CPU.
        pixel_spec: the input; its size sets the size of the linear layer.

    Raises:
        ConfigError: no such depth.
    """

    def __init__(
        self,
        depth: Literal[18, 34, 50, 100] = 50,
        embedding_dim: int = 512,
        dropout: float = 0.4,
        width: int = 64,
        pixel_spec: PixelSpec = DEFAULT_PIXELS,
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ConfigError(f"IResNet depth: expected one of {sorted(BLOCKS)}, got {depth}")
        self.embedding_dim = embedding_dim
        self.pixel_spec = pixel_spec
        blocks = BLOCKS[depth]
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.prelu = PReLU(width)
        self.layer1 = _stage(width, width, blocks[0])
        self.layer2 = _stage(width, 2 * width, blocks[1])
        self.layer3 = _stage(2 * width, 4 * width, blocks[2])
        self.layer4 = _stage(4 * width, 8 * width, blocks[3])
        self.bn2 = nn.BatchNorm2d(8 * width)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(8 * width * _map_area(pixel_spec.size), embedding_dim)
        self.features = nn.BatchNorm1d(embedding_dim)
        self.features.weight.requires_grad = False
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.1)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images ``(B, 3, *pixel_spec.size)`` → un-normalised embeddings ``(B, D)``.

        Raises:
            ConfigError: the images have another shape, or are not floating point.
        """
        check_images(images, self.pixel_spec)
        x = self.prelu(self.bn1(self.conv1(images)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.dropout(self.bn2(x).flatten(1))
        embedding: Tensor = self.features(self.fc(x))
        return embedding


def _stage(in_channels: int, out_channels: int, count: int) -> nn.Sequential:
    """``count`` blocks, the first with stride 2."""
    rest = [IRBlock(out_channels, out_channels, 1) for _ in range(count - 1)]
    return nn.Sequential(IRBlock(in_channels, out_channels, 2), *rest)


def _map_area(size: tuple[int, int]) -> int:
    """Positions of the last feature map: each side halved four times, rounding up."""
    height, width = size
    return -(-height // 16) * -(-width // 16)
