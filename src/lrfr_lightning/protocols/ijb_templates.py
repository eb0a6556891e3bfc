"""Templates of IJB-B and IJB-C: which faces they hold, and how these become one embedding."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.ijb import IJBFaces, known_templates
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.functional.identification import NOBODY
from lrfr_lightning.functional.templates import inverse_lengths, media_templates
from lrfr_lightning.protocols.base import Embeddings


class Pooling:
    """How the faces of a template become one embedding.

    Args:
        faces: all faces of the benchmark.
        detector: weigh each face by the detector's confidence in it.
        keep_lengths: keep the lengths of embeddings, which say how sure the network is.
    """

    def __init__(self, faces: IJBFaces, detector: bool, keep_lengths: bool) -> None:
        self.media = faces.media
        self.weight = faces.score if detector else np.ones(len(faces.score))
        self.keep_lengths = keep_lengths

    def __call__(self, embeddings: Embeddings, templates: Templates) -> NDArray[np.float64]:
        """Embeddings of images ``(len(images), D)`` → those of templates, float64 ``(T, D)``."""
        rows, weight = embeddings[templates.image], self.weight[templates.image]
        if not self.keep_lengths:
            weight = weight * inverse_lengths(rows)
        own_media = self.media[templates.image]
        return media_templates(rows, templates.template, own_media, weight, len(templates))


def side(numbers: NDArray[np.int64], faces: IJBFaces) -> tuple[Templates, NDArray[np.int64]]:
    """The templates that stand on one side of the pairs, each once, and the row of each pair.

    Raises:
        DataError: a template has no face.
    """
    distinct, row = np.unique(numbers, return_inverse=True)
    nobody = dict.fromkeys(distinct.tolist(), NOBODY)  # the pairs do not say who is shown
    return of_people(nobody, faces), row.ravel()


def of_people(people: Mapping[int, int], faces: IJBFaces) -> Templates:
    """Published template numbers with their people → templates in that order.

    Raises:
        DataError: a template has no face.
    """
    known_templates(np.asarray(list(people), np.int64), faces)
    place = {number: row for row, number in enumerate(people)}
    image = np.flatnonzero(np.isin(faces.template, list(people)))
    template = np.asarray([place[number] for number in faces.template[image].tolist()], np.int64)
    return Templates(image, template, np.asarray(list(people.values()), np.int64))
