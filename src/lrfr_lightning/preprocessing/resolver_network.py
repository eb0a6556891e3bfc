"""A compact network that restores faces, cheap enough for two cores."""

from torch import Tensor, nn
from torch.nn.functional import relu

from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.recipe import Recorded

_MIDDLE = 127.5


class ResidualBlock(nn.Module):
    """Convolution - ReLU - convolution, added to the input; no BN (EDSR, 1707.02921, 2017)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, width, H, W)`` in and out."""
        y: Tensor = x + self.second(relu(self.first(x)))
        return y


class ResolverNetwork(Recorded, nn.Module):
    """Adds to an enlarged face what it lacks (ours).

    All convolutions run on a grid ``factor`` times coarser, which squares of ``factor`` pixels are
    folded into channels for and folded back from (sub-pixel convolution, Shi et al., 1609.05158,
    CVPR 2016): a face of up to 28 px loses nothing by a factor of 4. The last layer starts at
    zero, so that an untrained network changes nothing.

    Args:
        width: channels on the coarse grid.
        blocks: residual blocks.
        factor: side of a folded square, px.

    Raises:
        ConfigError: an argument below 1.
    """

    def __init__(self, width: int = 64, blocks: int = 8, factor: int = 4) -> None:
        super().__init__()
        if min(width, blocks, factor) < 1:
            raise ConfigError(
                f"ResolverNetwork: expected width, blocks and factor of at least 1, got {width}, "
                f"{blocks} and {factor}"
            )
        pixels = 3 * factor**2
        self.body = nn.Sequential(
            nn.PixelUnshuffle(factor),
            nn.Conv2d(pixels, width, 3, padding=1),
            *(ResidualBlock(width) for _ in range(blocks)),
        )
        last = nn.Conv2d(width, pixels, 3, padding=1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.tail = nn.Sequential(last, nn.PixelShuffle(factor))

    def forward(self, faces: Tensor) -> Tensor:
        """Enlarged faces, float ``(B, 3, H, W)``, RGB, 0..255 → restored ones of the same kind.

        The sides are multiples of ``factor``. Values may leave 0..255 by a little.
        """
        residual: Tensor = self.tail(self.body((faces - _MIDDLE) / _MIDDLE))
        return faces + _MIDDLE * residual.to(faces.dtype)
