"""IJB-B and IJB-C: identification in each of two galleries."""

from collections.abc import Sequence
from typing import Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.ijb import GALLERIES, Benchmark, read_faces, read_search
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.protocols.base import Conditions, Embeddings
from lrfr_lightning.protocols.identification import IdentificationProtocol
from lrfr_lightning.protocols.ijb_templates import Pooling, of_people
from lrfr_lightning.protocols.result import Resolution


class IJBIdentification(IdentificationProtocol):
    """Mixed-media probes looked for in one of the two galleries, ``ijbc-g1`` or ``ijbc-g2``.

    The galleries share nobody: probes of the other gallery's people are unmated. Papers give the
    mean over both galleries; so measure both.

    Args:
        root: folder that holds ``meta/`` and ``loose_crop/``.
        benchmark: ``ijbb`` or ``ijbc``.
        gallery: 1 (``gallery_G1.csv``, for IJB-B ``S1``) or 2.
        detector: see :class:`~lrfr_lightning.protocols.ijb.IJBVerification`, as all that follow.
        lengths: keep the lengths of embeddings.
        resolutions: sides to degrade to, px.
        conditions: see :class:`~lrfr_lightning.protocols.base.Conditions`.

    Raises:
        DataError: root, lists or images are missing or malformed.
    """

    ranks = (1, 5, 10)
    fpirs = (0.1, 0.01)

    def __init__(
        self,
        root: str,
        benchmark: Benchmark = "ijbc",
        gallery: Literal[1, 2] = 1,
        detector: bool = True,
        lengths: bool = True,
        resolutions: Sequence[Resolution] = (112,),
        **conditions: Unpack[Conditions],
    ) -> None:
        faces, part = read_faces(root, benchmark), GALLERIES[benchmark][gallery - 1]
        enrolled = read_search(root, benchmark, f"gallery_{part}")
        wanted = read_search(root, benchmark, "probe_mixed")
        super().__init__(
            f"{benchmark}-{part.lower()}",
            faces.images,
            gallery=of_people(enrolled, faces),
            probes=of_people(wanted, faces),
            resolutions=resolutions,
            **conditions,
        )
        self.pooling = Pooling(faces, detector, lengths)

    def pool(self, embeddings: Embeddings, templates: Templates) -> NDArray[np.float64]:
        """Embeddings of images ``(len(images), D)`` → those of templates, float64 ``(T, D)``."""
        return self.pooling(embeddings, templates)
