"""Where hair begins and ends."""

import numpy as np

from lrfr_lightning.datasets.embedded.adornment import Hair
from lrfr_lightning.datasets.embedded.geometry import Points, arc, mirrored, points
from lrfr_lightning.datasets.embedded.parameters import FaceParameters
from lrfr_lightning.datasets.embedded.variation import Scene

ACROSS = np.linspace(-1, 1, 19)
"""Places along hairline and crown: -1 left sideburn, 0 middle, 1 right sideburn."""

_SCALLOPS = 1.6 * np.sin(np.arange(19) * np.pi / 1.5)


def covers_ears(hair: Hair, scene: Scene) -> bool:
    """Whether the hair hangs down beside the face."""
    return hair.length != "short" and not scene.tied


def hairline(hair: Hair, scene: Scene) -> Points:
    """The lower edge of the hair ``(19, 2)`` in the face, from sideburn to sideburn."""
    side = np.abs(ACROSS)
    y = -42 - hair.line + 36 * side**5 - hair.recess * np.exp(-(((side - 0.62) / 0.2) ** 2))
    y = y + hair.peak * np.exp(-((ACROSS / 0.14) ** 2))
    if hair.cut == "parted" and not scene.tied:
        away = np.abs(ACROSS - hair.part) / (1 + abs(hair.part))
        y = np.maximum(y, -46 - hair.line + 26 * away**1.2)
    if hair.cut == "fringe":
        jags = np.interp(ACROSS, np.linspace(-0.85, 0.85, 7), hair.jags)
        y = np.maximum(y, -31 - 0.6 * hair.line + 6 * (jags - 0.5) + 4 * side**2)
    if hair.cut == "curly":
        y = y + _SCALLOPS
    return arc(ACROSS * 40, y)


def crown(face: FaceParameters, scene: Scene) -> Points:
    """The upper edge of the hair ``(19, 2)``, above the points of the hairline."""
    hair, angle = face.hair, np.pi * (1 - ACROSS) / 2
    lift = 0.5 if hair.cut == "cropped" else hair.volume + scene.tousle + 0 * ACROSS
    if hair.cut == "curly":
        lift = lift + 4 + _SCALLOPS
    lean = 1 + 0.45 * hair.part * np.cos(angle) if hair.cut in ("parted", "back") else 1.0
    x = (40.5 * face.head.forehead + 0.55 * lift) * np.cos(angle)
    return arc(x, -6 - (54 + lift * lean) * np.sin(angle) ** 0.75)


def fall(hair: Hair, scene: Scene) -> Points:
    """Outline ``(16, 2)`` of the hair that hangs behind the head."""
    reach, width = (32.0, 47.0) if hair.length == "bob" else (60.0, 46.0)
    width += hair.volume * 0.5 + scene.tousle
    wave = 3.0 * hair.wave
    return mirrored(
        points(
            (0, -60 - hair.volume),
            (28, -54 - hair.volume),
            (width - 4, -28),
            (width, -6),
            (width + wave, 12),
            (width - wave, reach * 0.75),
            (width - 2, reach + 2),
            (24, reach + 6),
            (0, reach + 6),
        )
    )


def lock(hair: Hair, scene: Scene) -> tuple[Points, Points]:
    """Outer and inner edge, each ``(7, 2)``, of the right lock beside the face."""
    width = 46 + hair.volume * 0.5 + scene.tousle
    reach, wave = (30.0, 1.5) if hair.length == "bob" else (58.0, 2.5 * hair.wave)
    y = np.linspace(-30, reach, 7)
    outer = width - 7 * ((y - 10) / 40) ** 2 * (y < 10) + wave * np.sin(y * 0.2)
    inner = 37.5 + 3 * np.cos(y * 0.06) + 0.5 * wave * np.sin(y * 0.2 + 1)
    return arc(outer, y), arc(np.minimum(inner, outer), y)
