"""LFW verification at low resolution."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfr_lightning.datasets.lfw import LFWImages, NamedPair, read_pairs
from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.functional.folds import stratified_folds
from lrfr_lightning.functional.resize import Kernel
from lrfr_lightning.protocols.result import Setting, Side
from lrfr_lightning.protocols.verification import VerificationProtocol
from lrfr_lightning.utils.paths import existing

_NAMES = {"pairs": "lfw", "pairsDevTest": "lfw-devtest", "pairsDevTrain": "lfw-devtrain"}


class LFWVerification(VerificationProtocol):
    """LFW pairs, degraded to each resolution and brought back to 112 px.

    View 2 (``pairs.txt``) has its own ten folds; a list without folds, such as
    ``pairsDevTest.txt``, is cut into ten stratified ones.

    Args:
        root: folder with the pairs list and the folder ``images``, aligned to 112x112 px.
        pairs: name of the pairs list.
        resolutions: see :class:`VerificationProtocol`, as all that follow.
        setting: ``standard`` or ``deck``.
        degraded: which image of each pair is degraded.
        down: kernel that shrinks.
        up: kernel that enlarges.
        flip: add the embedding of the mirrored image.
        name: by default ``lfw`` for View 2, ``lfw-devtest`` for View 1's test half.

    Raises:
        DataError: root or list is missing or malformed, or listed images are missing.
    """

    def __init__(
        self,
        root: str,
        pairs: str = "pairs.txt",
        resolutions: Sequence[int] = (112, 56, 28, 14, 7),
        setting: Setting = "standard",
        degraded: Side = "both",
        down: Kernel | None = None,
        up: Kernel | None = None,
        flip: bool = False,
        name: str | None = None,
    ) -> None:
        folder = existing(root, "LFW root")
        named, folds = read_pairs(folder / pairs)
        names = sorted({name for pair in named for name in (pair.first, pair.second)})
        stem = Path(pairs).stem
        super().__init__(
            name=name or _NAMES.get(stem, f"lfw-{stem}"),
            images=LFWImages(folder / "images", names),
            pairs=index_pairs(named, names, folds),
            resolutions=resolutions,
            setting=setting,
            degraded=degraded,
            down=down,
            up=up,
            flip=flip,
        )


def index_pairs(named: list[NamedPair], names: list[str], folds: int) -> VerificationPairs:
    """VerificationPairs by name → pairs by position in ``names``, with folds."""
    position = {name: index for index, name in enumerate(names)}
    same = np.asarray([pair.same for pair in named])
    if folds > 1:
        fold = np.arange(len(named), dtype=np.int64) * folds // len(named)
    else:
        fold = stratified_folds(same)
    return VerificationPairs(
        first=np.asarray([position[pair.first] for pair in named], np.int64),
        second=np.asarray([position[pair.second] for pair in named], np.int64),
        same=same,
        fold=fold,
    )
