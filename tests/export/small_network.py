"""A network that is exported in a second, with every kind of layer that quantisation looks at."""

import torch
from torch import Tensor, nn

from lrfr_lightning.backbones import Backbone
from lrfr_lightning.transforms import PixelSpec

BGR = {"std": [128.0, 128.0, 128.0], "channel_order": "BGR"}


class SmallNet(Backbone):
    """Plain, depthwise and 1x1 convolutions and a linear layer, of fixed random weights."""

    def __init__(self, embedding_dim: int = 16, seed: int = 0, pixel_spec: PixelSpec | None = None):
        super().__init__()
        torch.manual_seed(seed)
        self.embedding_dim = embedding_dim
        self.pixel_spec = pixel_spec or PixelSpec()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, 4), nn.BatchNorm2d(8), nn.PReLU(8), nn.Dropout(0.4),
            nn.Conv2d(8, 8, 3, groups=8), nn.PReLU(8), nn.Conv2d(8, 16, 1), nn.PReLU(16),
            nn.MaxPool2d(6), nn.Flatten(), nn.Linear(16 * 16, embedding_dim),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        embedding: Tensor = self.layers(images)
        return embedding


def small(seed: int = 0) -> SmallNet:
    """The network, in training mode, for pixels in BGR."""
    return SmallNet(seed=seed, pixel_spec=PixelSpec(**BGR))  # type: ignore[arg-type]
