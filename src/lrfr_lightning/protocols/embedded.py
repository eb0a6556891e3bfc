"""Verification of the embedded faces at low resolution."""

from collections.abc import Sequence

from lrfr_lightning.datasets.embedded import EmbeddedFaces, verification_pairs
from lrfr_lightning.functional.controls import Control
from lrfr_lightning.functional.resize import Kernel
from lrfr_lightning.protocols.result import Resolution, Setting, Side
from lrfr_lightning.protocols.verification import VerificationProtocol


class EmbeddedVerification(VerificationProtocol):
    """LFW's protocol on invented people that no training set holds.

    Args:
        identities: people of the test split.
        images_per_identity: images of each.
        pairs_per_fold: genuine pairs in each of ten folds, and as many impostor pairs.
        seed: another seed gives other people and pairs.
        resolutions: see :class:`VerificationProtocol`, as all that follow.
        setting: ``standard`` or ``deck``.
        degraded: which image of each pair is degraded.
        down: kernel that shrinks.
        up: kernel that enlarges.
        flip: add the embedding of the mirrored image.
        control: what is taken from each face before it is degraded.

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
        setting: Setting = "standard",
        degraded: Side = "both",
        down: Kernel | None = None,
        up: Kernel | None = None,
        flip: bool = False,
        control: Control = "none",
    ) -> None:
        super().__init__(
            name="embedded",
            images=EmbeddedFaces(identities, images_per_identity, "test", seed),
            pairs=verification_pairs(identities, images_per_identity, pairs_per_fold, seed=seed),
            resolutions=resolutions,
            setting=setting,
            degraded=degraded,
            down=down,
            up=up,
            flip=flip,
            control=control,
        )
