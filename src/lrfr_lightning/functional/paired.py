"""Paired test between two models that were measured on the same items.

Only items on which the models differ speak. McNemar's exact test (Psychometrika 1947; here the
binomial test of its discordant counts) takes items for independent draws. The bootstrap over
people (:mod:`lrfr_lightning.functional.bootstrap`) does not, and gives the interval of the
difference.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from lrfr_lightning.functional.bootstrap import People, class_mean, interval, pair_weights
from lrfr_lightning.functional.verification import Flags
from lrfr_lightning.utils.errors import DataError

ALPHA = 0.05
"""A difference is called significant when one as large comes by chance less often than this."""


@dataclass(frozen=True)
class PairedTest:
    """What the items on which two models differ say.

    Attributes:
        difference: share of right items after, less that before, -1..1.
        low: the difference's 2.5 percentile.
        high: its 97.5 percentile.
        p_value: two-sided, by the bootstrap over people (over items where people are unknown).
        mcnemar: two-sided p-value of McNemar's exact test.
        gained: items that only the second model got right.
        lost: items that only the first model got right.
        people: whether people were drawn, or items.
    """

    difference: float
    low: float
    high: float
    p_value: float
    mcnemar: float
    gained: int
    lost: int
    people: bool

    @property
    def significant(self) -> bool:
        """Whether the bootstrap's p-value is below 0.05."""
        return self.p_value < ALPHA


def paired_test(
    before: Flags,
    after: Flags,
    people: People | None = None,
    replicates: int = 2000,
    seed: int = 0,
) -> PairedTest:
    """Compare two models item by item.

    Args:
        before: bool ``(N,)``, what the first model got right.
        after: bool ``(N,)``, what the second got right, in the same order.
        people: int32 ``(N, 2)``, who stands on each side of each item. Where both sides are one
            person (genuine pairs, probes) and where they are two (impostor pairs) the item keeps
            its share in every replicate.
        replicates: of the bootstrap; the p-value is no smaller than ``2 / (replicates + 1)``.
        seed: the same seed gives the same interval.

    Raises:
        DataError: the two have different lengths, or none.
    """
    if before.shape != after.shape or before.ndim != 1 or not len(before):
        raise DataError(f"expected outcomes of one length, got {before.shape} and {after.shape}")
    change = after.astype(np.float64) - before
    gained, lost = int(np.count_nonzero(change > 0)), int(np.count_nonzero(change < 0))
    low, high, p_value = _bootstrap(change, people, replicates, seed)
    return PairedTest(
        difference=float(change.mean()),
        low=low,
        high=high,
        p_value=p_value,
        mcnemar=min(1.0, 2 * float(bdtr(min(gained, lost), gained + lost, 0.5))),
        gained=gained,
        lost=lost,
        people=people is not None,
    )


def _bootstrap(
    change: NDArray[np.float64],
    people: People | None,
    replicates: int,
    seed: int,
) -> tuple[float, float, float]:
    """Interval of the mean change, and the share of replicates on the far side of none, twice."""
    one = np.ones(len(change), bool) if people is None else people[:, 0] == people[:, 1]
    importance = np.full(len(change), 1 / len(change))
    weights = pair_weights(len(change), people, replicates, seed)
    drawn = np.concatenate([class_mean(block, change, one, importance) for block in weights])
    drawn = drawn[np.isfinite(drawn)]
    # sums that cancel leave a rounding error
    sides = int(np.count_nonzero(drawn <= 1e-12)), int(np.count_nonzero(drawn >= -1e-12))
    low, high = interval(drawn)
    return low, high, min(1.0, 2 * (min(sides) + 1) / (len(drawn) + 1))
