"""Verification of the embedded faces at low resolution."""

from collections.abc import Sequence
from typing import Unpack

from lrfr_lightning.datasets.embedded import EmbeddedFaces, verification_pairs
from lrfr_lightning.protocols.result import Resolution
from lrfr_lightning.protocols.verification import VerificationConditions, VerificationProtocol


class EmbeddedVerification(VerificationProtocol):
    """LFW's protocol on invented people that no training set holds.

    Args:
        identities: people of the test split.
        images_per_identity: images of each.
        pairs_per_fold: genuine pairs in each of ten folds, and as many impostor pairs.
        seed: another seed gives other people and pairs.
        resolutions: see :class:`VerificationProtocol`, as all that follow.
        conditions: see :class:`~lrfr_lightning.protocols.verification.VerificationConditions`.

    Raises:
        DataError: the people do not have so many different pairs.
    """

    def __init__(
        self,
        identities: int = 300,
        images_per_identity: int = 4,
        pairs_per_fold: int = 100,
        seed: int = 0,
        resolutions: Sequence[Resolution] = (112, 56, 28, 14, 7),
        **conditions: Unpack[VerificationConditions],
    ) -> None:
        super().__init__(
            name="embedded",
            images=EmbeddedFaces(identities, images_per_identity, "test", seed),
            pairs=verification_pairs(identities, images_per_identity, pairs_per_fold, seed=seed),
            resolutions=resolutions,
            **conditions,
        )
