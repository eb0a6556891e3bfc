"""The faces that the page can show: embedded ones, and photographs that it was given."""

import hashlib
from dataclasses import dataclass

from lrfr_lightning.datasets.codec import MAX_PIXELS, decode_image
from lrfr_lightning.datasets.embedded.dataset import EmbeddedFaces
from lrfr_lightning.functional.image import Image
from lrfr_lightning.recognition.faces import cropped
from lrfr_lightning.utils.errors import DataError

PEOPLE, IMAGES = 6, 2
"""Embedded people to try, and images of each."""


@dataclass(frozen=True)
class Photograph:
    """A face to compare.

    Attributes:
        name: what it is called on the page.
        crop: uint8 ``(S, S, 3)`` RGB, the face at its own resolution.
    """

    name: str
    crop: Image


class Album:
    """Photographs by key, in this process's memory alone.

    Of those that were given the last are kept: two of any size, many of the usual ones.

    Attributes:
        examples: embedded faces, by key, ordered by person.
    """

    def __init__(self) -> None:
        faces = EmbeddedFaces(PEOPLE, IMAGES, split="test", cache=False)
        self.examples = {
            f"face-{index}": Photograph(
                f"{faces.identities[label].replace('_', ' ')} {index % IMAGES + 1}",
                faces.image(index),
            )
            for index, label in enumerate(faces.labels)
        }
        self._given: dict[str, Photograph] = {}

    def add(self, data: bytes, name: str) -> str:
        """Keep a photograph and return its key, which follows from its content.

        Args:
            data: an encoded image, an aligned face.
            name: which one it is, for the page and for errors.

        Raises:
            DataError: it cannot be decoded, or is no cropped face.
        """
        photograph = Photograph(name, cropped(decode_image(data, name), name))
        key = hashlib.sha256(data).hexdigest()
        self._given.pop(key, None)
        self._given[key] = photograph
        while sum(kept.crop[..., 0].size for kept in self._given.values()) > 2 * MAX_PIXELS:
            del self._given[next(iter(self._given))]
        return key

    def __getitem__(self, key: str) -> Photograph:
        """A photograph.

        Raises:
            DataError: there is none of this key, or no longer.
        """
        found = self.examples.get(key) or self._given.get(key)
        if found is None:
            raise DataError("the photograph is no longer held; choose it again")
        return found
