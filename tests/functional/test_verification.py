"""Verification metrics against scikit-learn and slow loops."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from lrfr_lightning.functional.folds import kfold_accuracy, stratified_folds
from lrfr_lightning.functional.verification import (
    accuracy_at,
    area_under_curve,
    best_threshold,
    equal_error_rate,
    roc,
    tar_at_far,
    youden_threshold,
)
from lrfr_lightning.utils.errors import DataError


def draw(seed: int, count: int = 400, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    same = rng.random(count) < 0.4
    scores = np.tanh(rng.normal(size=count) + same)
    return (np.round(scores, 1) if ties else scores), same


def slow_tar(scores: np.ndarray, same: np.ndarray, far: float) -> float:
    """The best TAR over all thresholds at or above any score, FAR at most ``far``."""
    thresholds = [*scores, np.inf]
    allowed = [t for t in thresholds if np.mean(scores[~same] >= t) <= far + 1e-12]
    return max(np.mean(scores[same] >= t) for t in allowed)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_roc_and_auc_equal_scikit_learn(seed: int, ties: bool) -> None:
    scores, same = draw(seed, ties=ties)
    curve = roc(scores, same)
    far, tar, thresholds = roc_curve(same, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.far, far, atol=1e-12)
    np.testing.assert_allclose(curve.tar, tar, atol=1e-12)
    np.testing.assert_array_equal(curve.threshold, thresholds)
    assert area_under_curve(scores, same) == pytest.approx(roc_auc_score(same, scores), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_best_threshold_equals_trying_all(seed: int, ties: bool) -> None:
    scores, same = draw(seed, ties=ties)
    tried = [np.mean((scores >= t) == same) for t in [*scores, scores.max() + 1]]
    found = accuracy_at(scores, same, best_threshold(scores, same))
    assert found == pytest.approx(max(tried), abs=1e-12)


def test_best_threshold_lies_midway_and_is_the_lowest_of_equals() -> None:
    same = np.array([True, True, False, False])
    assert best_threshold(np.array([0.9, 0.8, 0.2, 0.1]), same) == pytest.approx(0.5)
    # 0.75 and 0.35 both decide 3 of 4 pairs rightly
    assert best_threshold(np.array([0.9, 0.4, 0.6, 0.3]), same) == pytest.approx(0.35)


def test_rejecting_all_can_be_best() -> None:
    scores, same = np.array([0.9, 0.8, 0.7, 0.1]), np.array([False, False, False, True])
    assert accuracy_at(scores, same, best_threshold(scores, same)) == 0.75


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("far", [0.3, 0.1, 0.05, 0.01])
def test_tar_at_far_equals_trying_all(far: float, ties: bool) -> None:
    scores, same = draw(3, ties=ties)
    assert tar_at_far(scores, same, far) == pytest.approx(slow_tar(scores, same, far))


def test_tar_is_not_measurable_with_too_few_impostors() -> None:
    scores, same = draw(0)
    assert np.isnan(tar_at_far(scores, same, 1 / (np.count_nonzero(~same) + 1)))
    assert not np.isnan(tar_at_far(scores, same, 1 / np.count_nonzero(~same)))
    assert tar_at_far(scores, same, 1.0) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_eer_lies_where_the_interpolated_roc_crosses(seed: int) -> None:
    scores, same = draw(seed)
    far, tar, _ = roc_curve(same, scores, drop_intermediate=False)
    grid = np.linspace(0, 1, 200_001)
    slow = grid[np.argmin(np.abs(1 - np.interp(grid, far, tar) - grid))]
    assert equal_error_rate(scores, same) == pytest.approx(slow, abs=1e-2)


def test_eer_known_answers() -> None:
    same = np.array([True, True, False, False])
    assert equal_error_rate(np.array([0.9, 0.8, 0.2, 0.1]), same) == 0.0
    assert equal_error_rate(np.array([0.1, 0.2, 0.8, 0.9]), same) == 1.0
    assert equal_error_rate(np.array([0.9, 0.2, 0.8, 0.1]), same) == 0.5
    assert equal_error_rate(np.zeros(4), same) == 0.5


def test_youden_is_the_score_of_largest_gap() -> None:
    scores, same = draw(1)
    far, tar, thresholds = roc_curve(same, scores, drop_intermediate=False)
    assert youden_threshold(scores, same) == thresholds[1:][np.argmax((tar - far)[1:])]


def test_order_of_pairs_does_not_matter() -> None:
    scores, same = draw(2, 12_000)
    order = np.argsort(~same, kind="stable")
    for metric in (area_under_curve, equal_error_rate):
        assert metric(scores, same) == pytest.approx(metric(scores[order], same[order]), abs=1e-12)
    assert tar_at_far(scores, same, 0.01) == tar_at_far(scores[order], same[order], 0.01)


def test_kfold_equals_a_loop_that_tries_every_threshold() -> None:
    scores, same = draw(4, 200)
    fold = stratified_folds(same)
    measured = kfold_accuracy(scores, same, fold, best_threshold)
    for k in range(10):
        train = fold != k
        tried = {t: np.mean((scores[train] >= t) == same[train]) for t in sorted(scores[train])}
        best = next(t for t, accuracy in tried.items() if accuracy == max(tried.values()))
        # no score lies between ours and the loop's, or it lies in the test fold
        between = (scores[train] > measured.threshold[k]) & (scores[train] < best)
        assert not between.any()
        at_ours = np.mean((scores[~train] >= measured.threshold[k]) == same[~train])
        assert measured.accuracy[k] == at_ours


def test_stratified_folds_are_even_and_in_order() -> None:
    same = np.array([True] * 20 + [False] * 30)
    fold = stratified_folds(same)
    assert [np.count_nonzero(fold[same] == k) for k in range(10)] == [2] * 10
    assert [np.count_nonzero(fold[~same] == k) for k in range(10)] == [3] * 10
    assert (np.diff(fold[same]) >= 0).all()


@pytest.mark.parametrize(
    ("scores", "same", "message"),
    [
        ([0.1, 0.2], [True], "one length"),
        ([0.1, np.nan], [True, False], "1 of 2 scores are not finite"),
        ([0.1, 0.2], [True, True], "got 2 genuine of 2"),
    ],
)
def test_scores_that_cannot_be_measured(scores: list, same: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        roc(np.array(scores), np.array(same))


def test_folds_that_cannot_be_used() -> None:
    scores, same = np.arange(4.0), np.array([True, True, False, False])
    with pytest.raises(DataError, match=r"folds \[0, 1\] hold only genuine or only impostor"):
        kfold_accuracy(scores, same, np.array([0, 0, 1, 1]), best_threshold)
    with pytest.raises(DataError, match="expected at least 2 folds"):
        kfold_accuracy(scores, same, np.zeros(4, np.int64), best_threshold)
    with pytest.raises(DataError, match="10 folds need at least 10 genuine pairs, got 2"):
        stratified_folds(same)
