"""Thresholds against galleries that are really drawn."""

from itertools import combinations

import numpy as np
import pytest

from lrfr_lightning.functional.calibration import alarm_chance, far_interval, others, thresholds_at
from lrfr_lightning.utils.errors import ConfigError

SCORES = np.random.default_rng(0).normal(size=(9, 7)).round(1)
"""Few digits, so that many are tied."""


def fpir(scores: np.ndarray, threshold: float, size: int) -> float:
    """Mean share of alarms over every gallery of a size."""
    galleries = [list(chosen) for chosen in combinations(range(scores.shape[1]), size)]
    return float(np.mean([scores[:, g].max(axis=1) >= threshold for g in galleries]))


@pytest.mark.parametrize("size", [1, 2, 5, 7])
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.35, 0.9])
def test_lowest_threshold_over_every_gallery(size: int, rate: float) -> None:
    (found,) = thresholds_at(SCORES, [size], [rate])[0]
    assert fpir(SCORES, found, size) <= rate
    lower = SCORES[found > SCORES]
    assert fpir(SCORES, lower.max(), size) > rate
    higher = SCORES[found < SCORES]
    assert not len(higher) or found == pytest.approx((higher.min() + lower.max()) / 2)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_chances_are_those_of_the_draw(size: int) -> None:
    for threshold in (-0.5, 0.4, 3.0):
        chances = alarm_chance(SCORES, threshold, size)
        one_by_one = [fpir(SCORES[[row]], threshold, size) for row in range(len(SCORES))]
        assert chances == pytest.approx(one_by_one)


def test_several_at_once_are_each_alone_and_rise() -> None:
    scores = np.random.default_rng(1).normal(size=(200, 90)).astype(np.float32)
    sizes, rates = [1, 9, 90], [0.3, 0.01]
    found = thresholds_at(scores, sizes, rates)
    alone = [[thresholds_at(scores, [n], [rate])[0, 0] for rate in rates] for n in sizes]
    assert np.array_equal(found, alone)
    assert (np.diff(found, axis=0) > 0).all()
    assert (np.diff(found, axis=1) > 0).all()
    # a gallery of one person: the plain quantile of all scores
    ranked = np.sort(scores.ravel())[::-1]
    assert found[0, 1] == pytest.approx((ranked[179] + ranked[180]) / 2, abs=1e-6)


def test_a_person_is_no_impostor_of_his_own() -> None:
    scores = np.arange(9.0).reshape(3, 3)
    assert others(scores).tolist() == [[1, 2], [3, 5], [6, 7]]


def test_interval_covers_the_rate_and_is_wider_than_that_of_independent_pairs() -> None:
    rng = np.random.default_rng(2)
    # people differ in how often they are taken for others
    easy = rng.normal(size=300)
    accepted = (easy[:, None] + easy + 2 * rng.normal(size=(300, 300))) > 5.5
    np.fill_diagonal(accepted, True)
    rate = others(accepted).mean()
    low, high = far_interval(accepted)
    assert low < rate < high
    naive = 1.96 * np.sqrt(rate * (1 - rate) / (300 * 299))
    assert high - low > 3 * 2 * naive
    assert far_interval(accepted) == [low, high]


def test_the_interval_is_that_of_written_out_replicates() -> None:
    accepted = np.random.default_rng(3).random((6, 6)) < 0.4
    rng = np.random.default_rng(0)
    rates = []
    for weight in rng.multinomial(6, np.full(6, 1 / 6), 200):
        pairs = [(i, j) for i in range(6) for j in range(6) if i != j]
        wrong = sum(weight[i] * weight[j] * accepted[i, j] for i, j in pairs)
        rates.append(wrong / sum(weight[i] * weight[j] for i, j in pairs))
    assert far_interval(accepted) == pytest.approx(np.quantile(rates, [0.025, 0.975]))


@pytest.mark.parametrize(("size", "rate"), [(0, 0.1), (8, 0.1), (1, 0.0), (1, 1.0)])
def test_impossible_wishes(size: int, rate: float) -> None:
    with pytest.raises(ConfigError, match="expected (galleries of 1..7|error rates)"):
        thresholds_at(SCORES, [size], [rate])
