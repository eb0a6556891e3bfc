"""Identification without a licensed set: embedded faces, and LFW."""

from collections.abc import Sequence

import numpy as np

from lrfr_lightning.datasets.embedded import EmbeddedFaces, gallery_and_probes
from lrfr_lightning.datasets.lfw import LFWPeople
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.functional.controls import Control
from lrfr_lightning.functional.resize import Kernel
from lrfr_lightning.protocols.identification import IdentificationProtocol
from lrfr_lightning.protocols.result import Resolution, Setting, Side


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
        setting: ``standard`` or ``deck``.
        degraded: ``both``, only the ``first`` (probes), the ``second`` (gallery), or ``matrix``.
        down: kernel that shrinks.
        up: kernel that enlarges.
        flip: add the embedding of the mirrored image.
        control: what is taken from each face before it is degraded.

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
        setting: Setting = "standard",
        degraded: Side = "both",
        down: Kernel | None = None,
        up: Kernel | None = None,
        flip: bool = False,
        control: Control = "none",
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
            setting=setting,
            degraded=degraded,
            down=down,
            up=up,
            flip=flip,
            control=control,
        )


class LFWIdentification(IdentificationProtocol):
    """LFW as a search (ours): the first image of everybody who has several is the gallery.

    Their other images are mated probes, people of one image unmated ones: with ``people.txt`` 1,680
    in the gallery, 7,484 mated and 4,069 unmated probes.

    Args:
        root: folder with the people list and the folder ``images``, aligned to 112x112 px.
        people: the list.
        resolutions: see :class:`IdentificationProtocol`, as all that follow.
        setting: ``standard`` or ``deck``.
        degraded: ``both``, only the ``first`` (probes), the ``second`` (gallery), or ``matrix``.
        down: kernel that shrinks.
        up: kernel that enlarges.
        flip: add the embedding of the mirrored image.
        control: what is taken from each face before it is degraded.

    Raises:
        DataError: root, list or images are missing.
    """

    def __init__(
        self,
        root: str,
        people: str = "people.txt",
        resolutions: Sequence[Resolution] = (112, 56, 28, 14, 7),
        setting: Setting = "standard",
        degraded: Side = "both",
        down: Kernel | None = None,
        up: Kernel | None = None,
        flip: bool = False,
        control: Control = "none",
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
            setting=setting,
            degraded=degraded,
            down=down,
            up=up,
            flip=flip,
            control=control,
        )
