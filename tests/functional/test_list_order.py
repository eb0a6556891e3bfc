"""Twelve thousand cosines in list order and shuffled, against scikit-learn."""

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.metrics import roc_auc_score, roc_curve

from lrfr_lightning.functional.verification import (
    area_under_curve,
    equal_error_rate,
    tar_at_far,
)

COUNT = 12_000


def cosines(ties: bool) -> tuple[np.ndarray, np.ndarray]:
    """All genuine pairs first, as lists have them; cosines, some below 0."""
    same = np.arange(COUNT) < COUNT // 2
    scores = np.tanh(np.random.default_rng(0).normal(0.1 + 0.5 * same, 0.4))
    return (np.round(scores, 2) if ties else scores), same


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_metrics_equal_scikit_learn(ties: bool, shuffled: bool) -> None:
    scores, same = cosines(ties)
    far, tar, _ = roc_curve(same, scores, drop_intermediate=False)
    auc = roc_auc_score(same, scores)
    eer = brentq(lambda rate: 1 - rate - np.interp(rate, far, tar), 0, 1, xtol=1e-14)
    if shuffled:
        order = np.random.default_rng(1).permutation(COUNT)
        scores, same = scores[order], same[order]
    assert area_under_curve(scores, same) == pytest.approx(auc, abs=1e-12)
    assert equal_error_rate(scores, same) == pytest.approx(eer, abs=1e-12)
    for limit in (0.1, 0.01, 0.001):
        best = tar[far <= limit].max()
        assert tar_at_far(scores, same, limit) == pytest.approx(best, abs=1e-12)
