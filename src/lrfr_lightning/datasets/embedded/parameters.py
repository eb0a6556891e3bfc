"""What makes an embedded person: numbers that stay the same in every image of them.

Coarse colours come from short palettes; geometry is continuous and carries the identity.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from lrfr_lightning.datasets.embedded.adornment import Beard, Glasses, Hair, Marks
from lrfr_lightning.datasets.embedded.anatomy import Head, Mouth, Nose
from lrfr_lightning.datasets.embedded.eye_region import Brows, Eyes


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
