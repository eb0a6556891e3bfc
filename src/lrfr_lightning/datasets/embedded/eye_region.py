"""Eyes and brows of a person.

Lengths are px of the 112 px image.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from lrfr_lightning.datasets.embedded.palette import IRIS


@dataclass(frozen=True)
class Eyes:
    """Both eyes, mirrored.

    Attributes:
        x: distance of the pupil from the middle, px.
        y: height of the pupil, px below the middle of the image plus 8.
        width: half width of the opening, px.
        height: half height of the opening, px.
        tilt: how much higher the outer corner is, px.
        peak: -1..1, where the upper lid is highest: inner .. outer.
        iris: radius, px.
        colour: index into ``IRIS``.
        ring: 0..1, darkness of the iris's rim.
        crease: px between upper lid and its crease; 0 means no crease.
        lash: width of the upper lashes, px.
        bag: 0..1, shade below the eye.
        depth: 0..1, shade of the eye socket.
    """

    x: float
    y: float
    width: float
    height: float
    tilt: float
    peak: float
    iris: float
    colour: int
    ring: float
    crease: float
    lash: float
    bag: float
    depth: float

    @classmethod
    def draw(cls, rng: np.random.Generator, tone: int) -> Self:
        """Eyes at random, of a colour that goes with the skin's ``tone``."""
        return cls(
            x=rng.uniform(16.0, 20.0),
            y=rng.uniform(-14.0, -10.5),
            width=rng.uniform(6.4, 9.2),
            height=rng.uniform(2.3, 4.3),
            tilt=rng.uniform(-1.8, 2.6),
            peak=rng.uniform(-0.8, 0.8),
            iris=rng.uniform(3.7, 4.9),
            colour=int(rng.integers(len(IRIS) if tone < 3 else 3)),
            ring=rng.uniform(0.0, 1.0),
            crease=float(rng.choice([0.0, 1.6, 2.4, 3.2])),
            lash=rng.uniform(0.7, 1.7),
            bag=rng.uniform(0.0, 1.0),
            depth=rng.uniform(0.0, 1.0),
        )


@dataclass(frozen=True)
class Brows:
    """Both brows, mirrored.

    Attributes:
        gap: height of the brow above the pupil, px.
        inner: distance of the inner end from the middle, px.
        length: px.
        thickness: at the inner end, px.
        taper: 0..1, how much thinner the outer end is.
        tilt: how much higher the outer end is, px.
        arch: how far the bend rises above the straight line, px.
        bend: 0..1, where along the brow the bend is.
        darkness: 0 as light as the hair .. 1 dark.
    """

    gap: float
    inner: float
    length: float
    thickness: float
    taper: float
    tilt: float
    arch: float
    bend: float
    darkness: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Brows at random."""
        return cls(
            gap=rng.uniform(8.0, 13.0),
            inner=rng.uniform(4.5, 10.5),
            length=rng.uniform(17.0, 23.0),
            thickness=rng.uniform(1.3, 5.2),
            taper=rng.uniform(0.3, 0.9),
            tilt=rng.uniform(-2.5, 4.5),
            arch=rng.uniform(0.0, 4.0),
            bend=rng.uniform(0.4, 0.75),
            darkness=rng.uniform(0.2, 1.0),
        )
