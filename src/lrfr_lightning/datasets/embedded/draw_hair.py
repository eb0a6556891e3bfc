"""Hair behind and above the face, and beards."""

import numpy as np

from lrfr_lightning.datasets.embedded.adornment import Hair
from lrfr_lightning.datasets.embedded.canvas import Canvas
from lrfr_lightning.datasets.embedded.draw_head import head_outline, skin_colour
from lrfr_lightning.datasets.embedded.geometry import (
    Points,
    Projection,
    depth,
    ellipse,
    mirrored,
    points,
    smooth,
)
from lrfr_lightning.datasets.embedded.palette import HAIR, mix, scaled
from lrfr_lightning.datasets.embedded.parameters import FaceParameters
from lrfr_lightning.datasets.embedded.variation import Scene

_STEPS = 19


def covers_ears(hair: Hair, scene: Scene) -> bool:
    """Whether the hair hangs down beside the face."""
    return hair.length != "short" and not scene.tied


def draw_back_hair(canvas: Canvas, view: Projection, face: FaceParameters, scene: Scene) -> None:
    """Hair that falls behind the face."""
    hair = face.hair
    if hair.cut not in ("bald", "cropped") and not scene.hat:
        t = np.linspace(-1, 1, _STEPS)
        cap = view.at_depth(_crown(hair, face, scene), -2 - 8 * (1 - t**2))
        canvas.fill(cap, scaled(HAIR[hair.colour], 0.66))
    if not covers_ears(hair, scene):
        return
    reach, width = (32, 47) if hair.length == "bob" else (60, 46)
    width += hair.volume * 0.5 + scene.tousle
    wave = 3.0 * hair.wave
    right = points(
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
    colour = scaled(HAIR[hair.colour], 0.66)
    canvas.fill(smooth(view.at_depth(mirrored(right), -12)), colour)


def draw_front_hair(canvas: Canvas, view: Projection, face: FaceParameters, scene: Scene) -> None:
    """Hair above the forehead: cap, hairline and strands."""
    hair = face.hair
    if hair.cut == "bald":
        canvas.shade(view.on_skin(ellipse(8, -46, 9, 4)), -0.2, broad=True)
        return
    inner, outer = hairline(hair, scene), _crown(hair, face, scene)
    t = np.abs(np.linspace(-1, 1, _STEPS))
    low = view.at_depth(inner, (depth(inner) + 1.5) * (1 - t**5))
    high = view.at_depth(outer, -2 - 8 * (1 - t**2))
    colour = HAIR[hair.colour]
    if hair.cut == "cropped":
        colour = mix(colour, skin_colour(face), 0.35)
    canvas.shade(np.concatenate([low[2:-2], low[-3:1:-1] + (0, 3.5)]), 0.16)
    if covers_ears(hair, scene):
        draw_side_locks(canvas, view, face, scene)
    canvas.fill(np.concatenate([high, low[::-1]]), colour)
    if hair.cut == "curly":
        _draw_curls(canvas, low, high, hair)
    else:
        _draw_strands(canvas, low, high, hair)


def draw_side_locks(canvas: Canvas, view: Projection, face: FaceParameters, scene: Scene) -> None:
    hair = face.hair
    colour, width = HAIR[hair.colour], 46 + hair.volume * 0.5 + scene.tousle
    reach, wave = (30, 1.5) if hair.length == "bob" else (58, 2.5 * hair.wave)
    y = np.linspace(-30, reach, 7)
    outer = width - 7 * ((y - 10) / 40) ** 2 * (y < 10) + wave * np.sin(y * 0.2)
    inner = 37.5 + 3 * np.cos(y * 0.06) + 0.5 * wave * np.sin(y * 0.2 + 1)
    for side in (-1, 1):
        edge = np.stack([side * outer, y], axis=1)
        core = np.stack([side * np.minimum(inner, outer), y], axis=1)
        rim, fall = view.at_depth(edge, -4), view.at_depth(core, 2)
        canvas.fill(smooth(np.concatenate([rim, fall[::-1]])), colour)
        course = [smooth(fall + (rim - fall) * share, closed=False) for share in (0.25, 0.5, 0.75)]
        canvas.lines(course[::2], scaled(colour, 0.8), 0.7)
        canvas.lines(course[1:2], scaled(colour, 1.2), 0.7)


def hairline(hair: Hair, scene: Scene) -> Points:
    """The lower edge of the hair ``(19, 2)`` from the left sideburn to the right one."""
    t = np.linspace(-1, 1, _STEPS)
    side = np.abs(t)
    y = -42 - hair.line + 36 * side**5 - hair.recess * np.exp(-(((side - 0.62) / 0.2) ** 2))
    y = y + hair.peak * np.exp(-((t / 0.14) ** 2))
    if hair.cut == "parted" and not scene.tied:
        away = np.clip(np.abs(t - hair.part) / (1 + abs(hair.part)), 0, 1)
        y = np.maximum(y, -46 - hair.line + 26 * away**1.2)
    if hair.cut == "fringe":
        jags = np.interp(t, np.linspace(-0.85, 0.85, 7), hair.jags)
        y = np.maximum(y, -31 - 0.6 * hair.line + 6 * (jags - 0.5) + 4 * side**2)
    if hair.cut == "curly":
        y = y + 1.6 * np.sin(np.arange(_STEPS) * np.pi / 1.5)
    return np.stack([t * 40, y], axis=1)


def draw_beard(canvas: Canvas, view: Projection, face: FaceParameters) -> None:
    """Stubble, moustache, goatee or full beard."""
    beard, colour = face.beard, HAIR[face.hair.colour]
    if beard.cut == "none":
        return
    colour = scaled(mix(colour, skin_colour(face), 0.72 if beard.cut == "stubble" else 0.12), 0.95)
    if beard.cut in ("stubble", "full"):
        canvas.fill(_cheek_beard(view, face), colour)
    if beard.cut == "goatee":
        y = face.mouth.y
        chin = points((-9, y + 6), (9, y + 6), (12, y + 12), (8, 46), (-8, 46), (-12, y + 12))
        canvas.fill(smooth(view.on_skin(chin + (0, face.head.chin_y * 0.5))), colour)
    if beard.cut in ("moustache", "goatee", "full"):
        canvas.fill(_moustache(view, face), scaled(colour, 0.92))


def _crown(hair: Hair, face: FaceParameters, scene: Scene) -> Points:
    angle = np.linspace(np.pi, 0, _STEPS)
    lift = 0.5 if hair.cut == "cropped" else hair.volume + scene.tousle
    if hair.cut == "curly":
        lift += 4 + 1.6 * np.sin(np.arange(_STEPS) * np.pi / 1.5)
    lean = 1 + 0.45 * hair.part * np.cos(angle) if hair.cut in ("parted", "back") else 1.0
    x = (40.5 * face.head.forehead + 0.55 * lift) * np.cos(angle)
    y = -6 - (54 + lift * lean) * np.sin(angle) ** 0.75
    return np.stack([x, y], axis=1)


def _draw_strands(canvas: Canvas, low: Points, high: Points, hair: Hair) -> None:
    colour = HAIR[hair.colour]
    t = np.linspace(0.06, 1, 5)[:, None, None]
    sweep = np.roll(low, 1 if hair.part > 0 else -1, axis=0)[None]
    course = sweep * (1 - t) ** 2 + (low + high)[None] * t * (1 - t) + high[None] * t**2
    strands = list(course.transpose(1, 0, 2)[1:-1])
    canvas.lines(strands[::2], scaled(colour, 0.88), 0.4)
    canvas.lines(strands[1::4], scaled(colour, 1.16), 0.4)
    band = np.concatenate([low + (high - low) * 0.35, (low + (high - low) * 0.6)[::-1]])
    canvas.shade(band, -0.16, broad=True)


def _draw_curls(canvas: Canvas, low: Points, high: Points, hair: Hair) -> None:
    colour = HAIR[hair.colour]
    rows = np.array([0.0, 0.3, 0.62, 0.95])
    for row, share in enumerate(rows):
        centres = (low + (high - low) * share)[row % 2 :: 2, None]
        curls = list(centres + ellipse(0, 0, 4.6, 4.2)[None])
        for curl in curls:
            canvas.fill(curl, scaled(colour, 0.92 + 0.1 * (row % 2)))
        canvas.lines(
            [curl[12:20] * 0.85 + curl.mean(axis=0) * 0.15 for curl in curls],
            scaled(colour, 1.25),
            0.6,
        )


def _cheek_beard(view: Projection, face: FaceParameters) -> Points:
    beard, mouth, outline = face.beard, face.mouth, head_outline(face.head)
    rim = (
        outline[4:11]
        + (0, 0.4)
        + (0, beard.length if beard.cut == "full" else 0)
        * np.array([[0.0], [0.3], [1.0], [1.0], [1.0], [0.3], [0.0]])
    )
    edge = points(
        (-33, 14), (-24, 20 - beard.height), (-mouth.width - 2, mouth.y - 6), (0, mouth.y - 6)
    ) * (face.head.jaw, 1)
    top = np.concatenate([edge, (edge * (-1, 1))[-2::-1]])
    depths = np.array([4, 8, 17, 23, 17, 8, 4.0])
    low = smooth(view.at_depth(rim, depths), closed=False)
    return np.concatenate([low, smooth(view.on_skin(top), closed=False)])


def _moustache(view: Projection, face: FaceParameters) -> Points:
    y, width = face.mouth.y - face.mouth.upper, face.mouth.width
    right = points((0, y - 3.4), (width * 0.6, y - 2.8), (width + 1.5, y + 3.2), (0, y + 0.6))
    outline = np.concatenate([right, (right * (-1, 1))[-2:0:-1]])
    return smooth(view.on_skin(outline, 2))
