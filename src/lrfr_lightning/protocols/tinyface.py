"""TinyFace: closed-set identification of native low-resolution faces among distractors."""

from collections.abc import Sequence
from typing import Unpack

from lrfr_lightning.datasets.tinyface import read_tinyface
from lrfr_lightning.protocols.base import Conditions
from lrfr_lightning.protocols.identification import IdentificationProtocol
from lrfr_lightning.protocols.result import Resolution


class TinyFaceIdentification(IdentificationProtocol):
    """Rank-1, rank-5, rank-20 and mAP over 3,728 probes.

    The gallery has 4,443 matches and 153,428 distractors, each image for itself. Images are shown
    as they are, enlarged to 112 px; aligned ones in the same layout work alike.

    Args:
        root: folder that holds ``Testing_Set/``.
        distractors: whether they are in the gallery; without them numbers compare with no paper.
        resolutions: None shows all as they are, enlarged to 112 px; px need aligned faces of
            112x112 px.
        conditions: see :class:`~lrfr_lightning.protocols.base.Conditions`; ``deck``
            has the bilinear kernel of the slides, nothing else.

    Raises:
        DataError: root, lists or images are missing or malformed.
    """

    def __init__(
        self,
        root: str,
        distractors: bool = True,
        resolutions: Sequence[Resolution] = (None,),
        **conditions: Unpack[Conditions],
    ) -> None:
        images, gallery, probes = read_tinyface(root, distractors)
        super().__init__(
            name="tinyface" if distractors else "tinyface-no-distractors",
            images=images,
            gallery=gallery,
            probes=probes,
            resolutions=resolutions,
            **conditions,
        )
