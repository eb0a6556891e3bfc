"""Stubble and beards."""

import numpy as np

from lrfr_lightning.datasets.embedded.canvas import Canvas
from lrfr_lightning.datasets.embedded.draw_head import head_outline, skin_colour
from lrfr_lightning.datasets.embedded.geometry import Points, Projection, points, smooth
from lrfr_lightning.datasets.embedded.palette import HAIR, mix, scaled
from lrfr_lightning.datasets.embedded.parameters import FaceParameters

_RIM_DEPTH = np.array([4, 8, 17, 23, 17, 8, 4.0])
_HANG = np.array([0.0, 0.3, 1.0, 1.0, 1.0, 0.3, 0.0])


def draw_beard(canvas: Canvas, view: Projection, face: FaceParameters) -> None:
    """Stubble, moustache, goatee or full beard."""
    beard, skin = face.beard, skin_colour(face)
    if beard.cut == "none":
        return
    colour = scaled(mix(HAIR[face.hair.colour], skin, 0.12), 0.95)
    if beard.cut == "stubble":
        colour = mix(colour, skin, 0.68)
    if beard.cut in ("stubble", "full"):
        canvas.fill(_cheek_beard(view, face), colour)
    if beard.cut == "goatee":
        canvas.fill(_goatee(view, face), colour)
    if beard.cut != "stubble":
        canvas.fill(_moustache(view, face), scaled(colour, 0.92))


def _cheek_beard(view: Projection, face: FaceParameters) -> Points:
    beard, mouth = face.beard, face.mouth
    hang = beard.length * _HANG if beard.cut == "full" else 0 * _HANG
    rim = head_outline(face.head)[4:11] + np.stack([0 * hang, hang + 0.4], axis=1)
    edge = points(
        (-33, 14), (-24, 20 - beard.height), (-mouth.width - 2, mouth.y - 6), (0, mouth.y - 6)
    ) * (face.head.jaw, 1)
    top = np.concatenate([edge, (edge * (-1, 1))[-2::-1]])
    low = smooth(view.at_depth(rim, _RIM_DEPTH), closed=False)
    return np.concatenate([low, smooth(view.on_skin(top), closed=False)])


def _goatee(view: Projection, face: FaceParameters) -> Points:
    y = face.mouth.y + face.head.chin_y * 0.5
    chin = points((-9, y + 6), (9, y + 6), (12, y + 12), (8, 46), (-8, 46), (-12, y + 12))
    return smooth(view.on_skin(chin))


def _moustache(view: Projection, face: FaceParameters) -> Points:
    y, width = face.mouth.y - face.mouth.upper, face.mouth.width
    right = points((0, y - 3.4), (width * 0.6, y - 2.8), (width + 1.5, y + 3.2), (0, y + 0.6))
    outline = np.concatenate([right, (right * (-1, 1))[-2:0:-1]])
    return smooth(view.on_skin(outline, 2))
