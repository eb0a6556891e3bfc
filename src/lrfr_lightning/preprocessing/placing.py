"""Our aligned faces in the larger frame that pretrained face restorers were trained on."""

from torch import Tensor
from torch.nn.functional import interpolate, pad

from lrfr_lightning.functional.alignment import SIDE
from lrfr_lightning.utils.errors import ConfigError

FFHQ_SHARE = 0.744
"""Side of the ArcFace crop as a share of the FFHQ crop's, the same face in both.

GPEN, GFPGAN and RestoreFormer were trained on faces aligned as FFHQ is (Karras et al., CVPR 2019),
which show more of hair and background. The similarity between the two templates of five landmarks
enlarges 112 px to 381 of 512, and its centre lies within 3 px of the middle.
"""


class Placing:
    """Puts faces in the middle of a larger square, and takes them out again.

    Args:
        side: of the square, px.
        share: of its side that the face takes, above 0.5, up to 1; around it the face is mirrored.

    Raises:
        ConfigError: the share lies outside its range.
    """

    def __init__(self, side: int, share: float) -> None:
        if not 0.5 < share <= 1:
            raise ConfigError(f"share: expected above 0.5, up to 1, got {share}")
        self.border = round(side * (1 - share) / 2)
        self.inner = side - 2 * self.border

    def placed(self, faces: Tensor) -> Tensor:
        """Faces, float ``(B, 3, 112, 112)`` → ``(B, 3, side, side)``, both 0..255."""
        return pad(_resized(faces, self.inner), [self.border] * 4, mode="reflect")

    def taken(self, restored: Tensor) -> Tensor:
        """Squares of any size, float ``(B, 3, h, h)`` → faces ``(B, 3, 112, 112)``, both 0..255."""
        square = _resized(restored, self.inner + 2 * self.border)
        window = slice(self.border, self.border + self.inner)
        return _resized(square[:, :, window, window], SIDE)


def _resized(images: Tensor, side: int) -> Tensor:
    if images.shape[2:] == (side, side):
        return images
    return interpolate(images, (side, side), mode="bicubic", antialias=True).clamp(0, 255)
