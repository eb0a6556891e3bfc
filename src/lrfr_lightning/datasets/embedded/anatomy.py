"""Head, nose and mouth of a person.

Lengths are px of the 112 px image.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from lrfr_lightning.datasets.embedded.palette import SKIN


@dataclass(frozen=True)
class Head:
    """Outline of head and ears.

    Attributes:
        tone: index into ``SKIN``.
        forehead, cheek, jaw, chin: widths relative to the mean head.
        chin_y: how far the chin lies below the mean one, px.
        jaw_y: how far the corner of the jaw lies below the mean one, px.
        ear: size relative to the mean ear.
        age: 0 young .. 1 old; wrinkles and grey hair follow.
        blush: 0..1, redness of the cheeks.
        hollow: 0..1, shade below the cheekbone.
    """

    tone: int
    forehead: float
    cheek: float
    jaw: float
    chin: float
    chin_y: float
    jaw_y: float
    ear: float
    age: float
    blush: float
    hollow: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A head at random."""
        return cls(
            tone=int(rng.integers(len(SKIN))),
            forehead=rng.uniform(0.90, 1.06),
            cheek=rng.uniform(0.90, 1.05),
            jaw=rng.uniform(0.85, 1.03),
            chin=rng.uniform(0.70, 1.30),
            chin_y=rng.uniform(-5.0, 2.5),
            jaw_y=rng.uniform(-4.0, 3.0),
            ear=rng.uniform(0.75, 1.25),
            age=rng.beta(1.2, 2.0),
            blush=rng.uniform(0.0, 1.0),
            hollow=rng.uniform(0.0, 1.0),
        )


@dataclass(frozen=True)
class Nose:
    """The nose.

    Attributes:
        y: height of its base below the middle of the image plus 8, px.
        bridge: half width of the bridge, px.
        wings: half width at the nostrils, px.
        tip: radius of the tip, px.
        upturn: 0..1, how much of the nostrils is seen.
        relief: 0..1, strength of its shading.
    """

    y: float
    bridge: float
    wings: float
    tip: float
    upturn: float
    relief: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A nose at random."""
        return cls(
            y=rng.uniform(8.0, 15.5),
            bridge=rng.uniform(2.6, 5.2),
            wings=rng.uniform(6.0, 11.5),
            tip=rng.uniform(3.0, 5.4),
            upturn=rng.uniform(0.0, 1.0),
            relief=rng.uniform(0.3, 1.0),
        )


@dataclass(frozen=True)
class Mouth:
    """The lips at rest.

    Attributes:
        y: height of the line between the lips below the middle of the image plus 8, px.
        width: half width, px.
        upper: thickness of the upper lip, px.
        lower: thickness of the lower lip, px.
        bow: depth of the cupid's bow, px.
        corner: how much the corners rise at rest, px.
        redness: 0 as the skin .. 1 red.
    """

    y: float
    width: float
    upper: float
    lower: float
    bow: float
    corner: float
    redness: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A mouth at random."""
        return cls(
            y=rng.uniform(25.0, 30.5),
            width=rng.uniform(10.5, 17.5),
            upper=rng.uniform(1.4, 4.6),
            lower=rng.uniform(2.2, 6.0),
            bow=rng.uniform(0.0, 1.8),
            corner=rng.uniform(-1.2, 1.8),
            redness=rng.uniform(0.15, 0.8),
        )
