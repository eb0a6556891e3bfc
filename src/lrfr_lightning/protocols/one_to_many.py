"""Identification without a licensed set: embedded faces, and LFW."""

from collections.abc import Sequence
from typing import Unpack

import numpy as np

from lrfr_lightning.datasets.embedded import EmbeddedFaces, gallery_and_probes
from lrfr_lightning.datasets.lfw import LFWPeople
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.protocols.base import Conditions
from lrfr_lightning.protocols.identification import IdentificationProtocol
from lrfr_lightning.protocols.result import Resolution


class EmbeddedIdentification(IdentificationProtocol):
    """Invented people that no training set holds: one image of some in the gallery.

    Args:
        identities: people of the test split.
        images_per_identity: images of each.
        enrolled: share of the people in the gallery; their other images are mated probes.
        distractors: share of the people whose images only enlarge the gallery; all images of the
            people left are unmated probes.
        seed: another seed gives other people and lists.
        resolutions: see :class:`IdentificationProtocol`, as all that follow.
        conditions: see :class:`~lrfr_lightning.protocols.base.Conditions`.

    Raises:
        DataError: the shares do not fit.
    """

    def __init__(
        self,
        identities: int = 300,
        images_per_identity: int = 4,
        enrolled: float = 0.5,
        distractors: float = 0.0,
        seed: int = 0,
        resolutions: Sequence[Resolution] = (112, 56, 28, 14, 7),
        **conditions: Unpack[Conditions],
    ) -> None:
        faces = EmbeddedFaces(identities, images_per_identity, "test", seed)
        lists = gallery_and_probes(identities, images_per_identity, enrolled, distractors, seed)
        gallery = Templates.single(lists.gallery, faces.labels[lists.gallery])
        probes = Templates.single(lists.mated_probes, faces.labels[lists.mated_probes])
        super().__init__(
            "embedded-1n",
            faces,
            gallery=gallery.and_nobody(lists.distractors),
            probes=probes.and_nobody(lists.unmated_probes),
            resolutions=resolutions,
            **conditions,
        )


class LFWIdentification(IdentificationProtocol):
    """LFW as a search (ours): the first image of everybody who has several is the gallery.

    Their other images are mated probes, people of one image unmated ones: with ``people.txt`` 1,680
    in the gallery, 7,484 mated and 4,069 unmated probes.

    Args:
        root: folder with the people list and the folder ``images``, aligned to 112x112 px.
        people: the list.
        resolutions: see :class:`IdentificationProtocol`, as all that follow.
        conditions: see :class:`~lrfr_lightning.protocols.base.Conditions`.

    Raises:
        DataError: root, list or images are missing.
    """

    def __init__(
        self,
        root: str,
        people: str = "people.txt",
        resolutions: Sequence[Resolution] = (112, 56, 28, 14, 7),
        **conditions: Unpack[Conditions],
    ) -> None:
        faces = LFWPeople(root, people)
        _, first, count = np.unique(faces.labels, return_index=True, return_counts=True)
        later = np.setdiff1d(np.arange(len(faces)), first)
        gallery, unmated = first[count > 1], first[count == 1]
        probes = Templates.single(later, faces.labels[later])
        super().__init__(
            "lfw-1n",
            faces,
            gallery=Templates.single(gallery, faces.labels[gallery]),
            probes=probes.and_nobody(unmated),
            resolutions=resolutions,
            **conditions,
        )
