"""QMUL-SurvFace: verification, and open-set identification."""

from collections.abc import Sequence
from typing import Unpack

from lrfr_lightning.datasets.survface import read_identification, read_verification
from lrfr_lightning.protocols.base import Conditions
from lrfr_lightning.protocols.identification import IdentificationProtocol
from lrfr_lightning.protocols.result import Resolution
from lrfr_lightning.protocols.verification import VerificationConditions, VerificationProtocol


class SurvFaceVerification(VerificationProtocol):
    """5,320 positive and 5,320 negative pairs of native surveillance faces, enlarged to 112 px.

    ``standard`` has ten folds with positive and negative pairs each. ``deck`` is what the slides
    measured: folds are tenths of the list, positive pairs first, so that each holds one kind only;
    the threshold is the one of largest TPR - FPR on the other folds; the kernel is bilinear.

    Args:
        root: folder that holds ``Face_Verification_Test_Set/``.
        resolutions: None shows all as they are, enlarged to 112 px; px need aligned faces of
            112x112 px.
        conditions: see :class:`~lrfr_lightning.protocols.verification.VerificationConditions`.

    Raises:
        DataError: root, lists or images are missing or malformed.
    """

    fars = (0.3, 0.1, 0.01, 0.001)

    def __init__(
        self,
        root: str,
        resolutions: Sequence[Resolution] = (None,),
        **conditions: Unpack[VerificationConditions],
    ) -> None:
        self.single_class_folds = conditions.get("setting") == "deck"
        images, pairs = read_verification(root, list_order=self.single_class_folds)
        super().__init__(
            name="survface",
            images=images,
            pairs=pairs,
            resolutions=resolutions,
            **conditions,
        )


class SurvFaceIdentification(IdentificationProtocol):
    """Open-set identification: TPIR20 at FPIR, and the area below it, ``auc``.

    A gallery template is the normalised mean of a person's normalised embeddings; every probe
    stands alone. The published set has 3,000 people in the gallery (60,294 images), 60,423 mated
    and 121,736 unmated probes.

    Args:
        root: folder that holds ``Face_Identification_Test_Set/``.
        resolutions: None shows all as they are, enlarged to 112 px; px need aligned faces of
            112x112 px.
        conditions: see :class:`~lrfr_lightning.protocols.base.Conditions`; ``deck``
            has the bilinear kernel of the slides, nothing else.

    Raises:
        DataError: root, lists or images are missing or malformed.
    """

    within = 20

    def __init__(
        self,
        root: str,
        resolutions: Sequence[Resolution] = (None,),
        **conditions: Unpack[Conditions],
    ) -> None:
        images, gallery, probes = read_identification(root)
        super().__init__(
            name="survface-1n",
            images=images,
            gallery=gallery,
            probes=probes,
            resolutions=resolutions,
            **conditions,
        )
