"""InsightFace's ``.bin`` verification sets at low resolution."""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np

from lrfr_lightning.datasets.bin_file import BinImages
from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.functional.folds import stratified_folds
from lrfr_lightning.protocols.result import Resolution
from lrfr_lightning.protocols.verification import VerificationConditions, VerificationProtocol

FOLDS = 10


class BinVerification(VerificationProtocol):
    """LFW, AgeDB-30, CFP-FP, CALFW, CPLFW or a set of one's own, as one ``.bin`` file.

    The ten folds are tenths of the list in its order, as the field evaluates these files. Who is
    shown is not known, only whether both images of a pair show one person.

    Args:
        path: the file.
        name: by default the file's, for example ``agedb_30``.
        stratified: cut genuine and impostor pairs into tenths each, for a file that has all
            genuine pairs first.
        resolutions: see :class:`VerificationProtocol`, as all that follow.
        conditions: see :class:`~lrfr_lightning.protocols.verification.VerificationConditions`.

    Raises:
        DataError: the file is missing, is no such set, or asks for code to be run.
    """

    def __init__(
        self,
        path: str,
        name: str | None = None,
        stratified: bool = False,
        resolutions: Sequence[Resolution] = (112, 56, 28, 14, 7),
        **conditions: Unpack[VerificationConditions],
    ) -> None:
        images = BinImages(path)
        tenths = np.array_split(np.arange(len(images.same)), FOLDS)
        runs = np.repeat(np.arange(FOLDS), [len(tenth) for tenth in tenths])
        fold = stratified_folds(images.same, FOLDS) if stratified else runs
        super().__init__(
            name=name or Path(path).stem,
            images=images,
            pairs=VerificationPairs(images.first, images.second, images.same, fold),
            resolutions=resolutions,
            **conditions,
        )
