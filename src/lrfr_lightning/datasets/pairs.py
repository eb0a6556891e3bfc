"""Who is compared with whom in 1:1 verification."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class VerificationPairs:
    """Pairs of images for 1:1 verification.

    Attributes:
        first: int64 ``(N,)``, positions of images.
        second: int64 ``(N,)``, positions of images.
        same: bool ``(N,)``, True for genuine pairs.
        fold: int64 ``(N,)``, the fold of each pair, 0..folds-1.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    same: NDArray[np.bool_]
    fold: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.same)
