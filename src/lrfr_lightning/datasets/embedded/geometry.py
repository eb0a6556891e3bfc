"""Curves, and the way from the face's own coordinates to the image.

The face's coordinates: x to the right of the image, y down, z towards the viewer, in px of the
aligned 112 px image, with the origin in its middle, 8 px below its centre.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.embedded.variation import Pose

Points = NDArray[np.float64]
"""float64 ``(N, 2)``, x and y."""

_ORIGIN = (56.0, 64.0)
_CURVATURE = np.array([46.0, 62.0]) ** -2.0
"""Half axes of the head seen as an ellipsoid, px, and its half depth."""
_DEPTH = 32.0
_AXIS_DEPTH = 27.0
"""Alignment keeps eyes and mouth in place: the head turns about their depth."""


def points(*xy: tuple[float, float]) -> Points:
    """Points ``(N, 2)`` from their coordinates."""
    return np.array(xy, dtype=np.float64)


def mirrored(right: Points) -> Points:
    """A closed outline from its right half, which begins and ends on the middle line."""
    return np.concatenate([right, right[-2:0:-1] * (-1.0, 1.0)])


def smooth(control: Points, closed: bool = True) -> Points:
    """A Catmull-Rom curve through ``control (N, 2)``, six points for each span."""
    return _basis(len(control), closed) @ control


def arc(x: Sequence[float] | NDArray[np.float64], y: NDArray[np.float64]) -> Points:
    """Points ``(N, 2)`` from a row of x and a row of y."""
    return np.stack([np.asarray(x, dtype=np.float64), y], axis=1)


def ellipse(x: float, y: float, width: float, height: float, power: float = 2.0) -> Points:
    """A closed (super)ellipse of 24 points; ``power`` 2 is an ellipse, above that a soft box."""
    circle = _circle()
    return np.sign(circle) * np.abs(circle) ** (2.0 / power) * (width, height) + (x, y)


def tapered(spine: Points, width: NDArray[np.float64]) -> Points:
    """A closed outline around ``spine (N, 2)`` with the given full widths ``(N,)``."""
    along = np.gradient(spine, axis=0)
    normal = along[:, ::-1] * (-1.0, 1.0) / (np.hypot(along[:, 0], along[:, 1])[:, None] + 1e-9)
    offset = normal * width[:, None] / 2
    return np.concatenate([spine + offset, (spine - offset)[::-1]])


def depth(face: Points) -> NDArray[np.float64]:
    """Z of the head's surface at ``face (N, 2)``; 0 outside of it."""
    inside = 1.0 - (face * face) @ _CURVATURE
    return np.asarray(_DEPTH * np.sqrt(np.maximum(inside, 0.0)))


class Projection:
    """Turns, moves and scales points of the face as one pose asks."""

    def __init__(self, pose: Pose) -> None:
        sin_yaw, cos_yaw = np.sin(pose.yaw), np.cos(pose.yaw)
        sin_pitch, cos_pitch = np.sin(pose.pitch), np.cos(pose.pitch)
        turn = np.array(
            [[cos_yaw, 0, sin_yaw], [-sin_yaw * sin_pitch, cos_pitch, cos_yaw * sin_pitch]]
        )
        sin, cos = np.sin(pose.roll), np.cos(pose.roll)
        matrix = pose.scale * np.array([[cos, -sin], [sin, cos]]) @ turn
        self._flat = matrix[:, :2].T.copy()
        self._deep = matrix[:, 2]
        self._shift = np.add(_ORIGIN, pose.shift)

    def on_skin(self, face: Points, lift: float = 0.0) -> Points:
        """Image px of points ``(N, 2)`` that lie ``lift`` px above the head's surface."""
        return self._project(face, (depth(face) + (lift - _AXIS_DEPTH))[:, None])

    def at_depth(self, face: Points, z: float | NDArray[np.float64]) -> Points:
        """Image px of points ``(N, 2)`` with depth ``z``, one or ``(N,)``."""
        return self._project(face, np.reshape(z, (-1, 1)) - _AXIS_DEPTH)

    def _project(self, face: Points, z: NDArray[np.float64]) -> Points:
        return np.asarray(face @ self._flat + (z * self._deep + self._shift))


@cache
def _circle() -> Points:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


@cache
def _basis(count: int, closed: bool, steps: int = 6) -> NDArray[np.float64]:
    spans = count if closed else count - 1
    t = np.arange(spans * steps + (not closed)) / steps
    start = np.minimum(t.astype(int), spans - 1)
    u = t - start
    weights = (
        (-u + 2 * u**2 - u**3) / 2,
        (2 - 5 * u**2 + 3 * u**3) / 2,
        (u + 4 * u**2 - 3 * u**3) / 2,
        (u**3 - u**2) / 2,
    )
    basis = np.zeros((len(t), count))
    for step, weight in enumerate(weights, start=-1):
        place = start + step
        place = place % count if closed else place.clip(0, count - 1)
        np.add.at(basis, (np.arange(len(t)), place), weight)
    return basis
