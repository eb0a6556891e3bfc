"""One message for images that do not have the form a backbone was built for."""

from torch import Tensor

from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError


def check_images(images: Tensor, pixel_spec: PixelSpec) -> None:
    """Look at shape and dtype only: no device synchronisation, constant under torch.compile.

    Raises:
        ConfigError: not floating point ``(B, 3, *pixel_spec.size)``.
    """
    expected = (3, *pixel_spec.size)
    if tuple(images.shape[1:]) != expected or not images.is_floating_point():
        raise ConfigError(
            f"expected normalised images (B, {', '.join(map(str, expected))}), floating point; "
            f"got {tuple(images.shape)} {images.dtype}; "
            "pass them through backbone.pixel_spec.normalise"
        )
