"""A knitted hat, which hides hair and hairline."""

import numpy as np

from lrfr_lightning.datasets.embedded.canvas import Canvas
from lrfr_lightning.datasets.embedded.draw_hair import draw_side_locks
from lrfr_lightning.datasets.embedded.geometry import Points, Projection, arc
from lrfr_lightning.datasets.embedded.hair_shape import covers_ears
from lrfr_lightning.datasets.embedded.palette import CLOTH, scaled
from lrfr_lightning.datasets.embedded.parameters import FaceParameters
from lrfr_lightning.datasets.embedded.variation import Scene

_ACROSS = np.linspace(-1, 1, 15)
_BRIM_HEIGHT = 12.0


def draw_hat(canvas: Canvas, view: Projection, face: FaceParameters, scene: Scene) -> None:
    """A knitted hat of the colour after that of the cloth, its brim above the brows."""
    if covers_ears(face.hair, scene):
        draw_side_locks(canvas, view, face, scene)
    colour = CLOTH[scene.cloth - 1]
    width = 40.5 * face.head.forehead + 1.5
    brim, fold = _row(view, width, 0.0), _row(view, width + 0.8, _BRIM_HEIGHT)
    top = _top(view, width)
    canvas.shade(np.concatenate([brim[1:-1], brim[-2:0:-1] + (0, 4)]), 0.22)
    canvas.fill(np.concatenate([fold, top[::-1]]), colour)
    canvas.lines([np.stack([fold[k], top[k]]) for k in range(1, 14, 2)], scaled(colour, 0.88), 0.7)
    canvas.fill(np.concatenate([brim, fold[::-1]]), scaled(colour, 0.9))
    canvas.lines([np.stack([brim[k], fold[k]]) for k in range(1, 14)], scaled(colour, 0.76), 0.7)


def _row(view: Projection, width: float, height: float) -> Points:
    y = -24 - height - 9 * (1 - _ACROSS**2)
    return view.at_depth(arc(width * _ACROSS, y), 26 * (1 - _ACROSS**2))


def _top(view: Projection, width: float) -> Points:
    y = -30 - 44 * np.sqrt(1 - _ACROSS**2)
    return view.at_depth(arc(width * _ACROSS, y), -6)
