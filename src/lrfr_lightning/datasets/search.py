"""Who is looked for in 1:N identification, and among whom."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.functional.identification import NOBODY
from lrfr_lightning.utils.errors import DataError, first_few


@dataclass(frozen=True)
class Templates:
    """Images, gathered in templates: one embedding each, of one person each.

    Attributes:
        image: int64 ``(N,)``, positions of images.
        template: int64 ``(N,)``, the template of each, 0..T-1, none without an image.
        person: int64 ``(T,)``, 0 or more; ``NOBODY`` for a distractor or an unmated probe whose
            person is not known, but known not to be on the other side.
    """

    image: NDArray[np.int64]
    template: NDArray[np.int64]
    person: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.person)

    @classmethod
    def single(cls, image: NDArray[np.int64], person: NDArray[np.int64]) -> Self:
        """Every image is its own template."""
        return cls(image, np.arange(len(image)), person)

    @classmethod
    def per_person(cls, image: NDArray[np.int64], person: NDArray[np.int64]) -> Self:
        """All images of a person are one template; templates in the order of the numbers."""
        people, template = np.unique(person, return_inverse=True)
        return cls(image, template.ravel(), people)

    @property
    def first_image(self) -> NDArray[np.int64]:
        """Position of one image of each template, int64 ``(T,)``."""
        _, index = np.unique(self.template, return_index=True)
        return np.asarray(self.image[index])

    def take(self, chosen: NDArray[np.int64]) -> Self:
        """The templates at some positions, in their order."""
        place = np.full(len(self), -1, np.int64)
        place[chosen] = np.arange(len(chosen))
        kept = place[self.template] >= 0
        return type(self)(self.image[kept], place[self.template[kept]], self.person[chosen])

    def and_nobody(self, image: NDArray[np.int64]) -> Self:
        """These and, after them, images of nobody: distractors or unmated probes."""
        return type(self)(
            np.concatenate([self.image, image]),
            np.concatenate([self.template, len(self) + np.arange(len(image))]),
            np.concatenate([self.person, np.full(len(image), NOBODY)]),
        )


def check_enrolled(probe_people: NDArray[np.int64], gallery_people: NDArray[np.int64]) -> None:
    """Refuse lists whose mated probes have nobody to be found.

    Raises:
        DataError: a mated probe's person is not in the gallery.
    """
    strangers = np.setdiff1d(probe_people, gallery_people)
    if len(strangers):
        raise DataError(
            f"{len(strangers)} people of the mated probes are not in the gallery: "
            f"{first_few([str(number) for number in strangers])}; the lists are of different sets"
        )
