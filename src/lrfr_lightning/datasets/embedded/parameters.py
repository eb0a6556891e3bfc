"""What makes an embedded person: numbers that stay the same in every image of them.

Lengths are px of the 112 px image. Shares and degrees are plain numbers with the stated range.
Coarse colours come from short palettes; geometry is continuous and carries the identity.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from lrfr_lightning.datasets.embedded.adornment import Beard, Glasses, Hair, Marks
from lrfr_lightning.datasets.embedded.palette import IRIS, SKIN


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
            jaw=rng.uniform(0.80, 1.02),
            chin=rng.uniform(0.70, 1.30),
            chin_y=rng.uniform(-5.0, 2.5),
            jaw_y=rng.uniform(-4.0, 3.0),
            ear=rng.uniform(0.75, 1.25),
            age=rng.beta(1.2, 2.0),
            blush=rng.uniform(0.0, 1.0),
            hollow=rng.uniform(0.0, 1.0),
        )


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


@dataclass(frozen=True)
class FaceParameters:
    """One person: everything that their images share."""

    head: Head
    eyes: Eyes
    brows: Brows
    nose: Nose
    mouth: Mouth
    hair: Hair
    beard: Beard
    marks: Marks
    glasses: Glasses

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """A person at random, determined by the state of ``rng``."""
        head = Head.draw(rng)
        return cls(
            head=head,
            eyes=Eyes.draw(rng, head.tone),
            brows=Brows.draw(rng),
            nose=Nose.draw(rng),
            mouth=Mouth.draw(rng),
            hair=Hair.draw(rng, head.tone, head.age),
            beard=Beard.draw(rng),
            marks=Marks.draw(rng, head.age),
            glasses=Glasses.draw(rng),
        )
