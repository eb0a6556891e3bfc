"""Controls: what is taken from a face, to tell how much of a score is identity and not scene.

Genuine pairs of LFW often come from one photograph session: they share light, colour cast and
background. A model that lives on these loses under a control; one that lives on the face does not.
"""

from typing import Literal, get_args

import cv2
import numpy as np

from lrfr_lightning.functional.image import Image
from lrfr_lightning.utils.errors import ConfigError

Control = Literal["none", "grey", "inner", "grey-inner", "no-cast"]

ROWS, COLUMNS = slice(16, 104), slice(20, 92)
"""The inner face of an aligned 112x112 crop: rows 16..103, columns 20..91."""

FILL = 127
"""Value of everything outside the inner face."""


def apply_control(image: Image, control: Control) -> Image:
    """Take colour, surroundings or both from an aligned face, before any degradation.

    Args:
        image: uint8 ``(112, 112, 3)`` RGB.
        control: ``grey``: luma (ITU-R BT.601) in all three channels; ``inner``: all outside the
            inner face set to 127; ``grey-inner``: both; ``no-cast``: every channel shifted so that
            its mean over the image becomes the mean of all three, then rounded (halves to even)
            and clipped to 0..255; ``none``: nothing.

    Returns:
        uint8 ``(112, 112, 3)``; the image itself with ``none``.

    Raises:
        ConfigError: no such control.
    """
    if check_control(control) in ("grey", "grey-inner"):
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if control in ("inner", "grey-inner"):
        whole = image
        image = np.full_like(whole, FILL)
        image[ROWS, COLUMNS] = whole[ROWS, COLUMNS]
    return _without_cast(image) if control == "no-cast" else image


def _without_cast(image: Image) -> Image:
    own = image.mean(axis=(0, 1))
    shifted = np.rint(image + (own.mean() - own))
    return np.asarray(np.clip(shifted, 0, 255), np.uint8)


def check_control(control: Control) -> Control:
    """The control itself, if there is such a one.

    Raises:
        ConfigError: there is not.
    """
    if control not in get_args(Control):
        raise ConfigError(f"control: expected one of {get_args(Control)}, got {control!r}")
    return control
