"""Augmentations: any albumentations pipeline, written as plain data."""

import os
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from lrfr_lightning.functional.image import Image
from lrfr_lightning.utils.errors import ConfigError

# the library asks the network for a newer version of itself at import unless told not to
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

Step = dict[str, dict[str, Any] | None]
"""One transform by name with its arguments, for example ``{"HorizontalFlip": {"p": 0.5}}``."""


class Augmentation:
    """An albumentations pipeline whose draws depend on the given seed alone.

    Args:
        steps: transforms in order, albumentations' own or this library's ``FaceWindow``; one that
            holds others (``OneOf``, ``SomeOf``, ``Sequential``) has them in its ``transforms``, in
            the same form.

    Raises:
        ConfigError: an unknown transform or argument.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        import albumentations

        self._pipeline = albumentations.Compose([_transform(step) for step in steps])

    def __call__(self, image: Image, seed: int) -> Image:
        """Augment uint8 ``(H, W, 3)``; equal seeds give equal images.

        Raises:
            ConfigError: the pipeline changed the size or the type of the image.
        """
        self._pipeline.set_random_seed(seed)
        augmented = self._pipeline(image=image)["image"]
        if augmented.shape != image.shape or augmented.dtype != np.uint8:
            raise ConfigError(
                f"augmentation turned uint8 {image.shape} into {augmented.dtype} "
                f"{augmented.shape}; keep size and type, normalisation is the model's"
            )
        return np.ascontiguousarray(augmented)


def _transform(step: Step) -> Any:
    import albumentations

    from lrfr_lightning.transforms.face_window import FaceWindow

    if not isinstance(step, dict) or len(step) != 1:
        raise ConfigError(f"augmentation step: expected 'Name: {{arguments}}', got {step!r}")
    name, arguments = next(iter(step.items()))
    factory = FaceWindow if name == "FaceWindow" else getattr(albumentations, name, None)
    if not isinstance(factory, type):
        near = get_close_matches(name, dir(albumentations), n=3)
        raise ConfigError(f"albumentations has no transform {name!r}; close: {', '.join(near)}")
    filled = dict(arguments or {})
    if "transforms" in filled:
        filled["transforms"] = [_transform(inner) for inner in filled["transforms"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # unknown arguments are only a warning there
        try:
            return factory(**filled)
        except (UserWarning, TypeError, ValueError) as error:
            raise ConfigError(f"augmentation {name}: {error}") from None
