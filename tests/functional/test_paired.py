"""Two models on the same items: known answers and slow loops."""

from math import comb

import numpy as np
import pytest

from lrfr_lightning.functional.bootstrap import pair_weights
from lrfr_lightning.functional.paired import paired_test
from lrfr_lightning.utils.errors import DataError


def models(both: int, lost: int, gained: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    before = np.repeat([True, True, False, False], [both, lost, gained, neither])
    after = np.repeat([True, False, True, False], [both, lost, gained, neither])
    return before, after


@pytest.mark.parametrize(("lost", "gained"), [(1, 9), (5, 5), (0, 6), (30, 12), (0, 1)])
def test_mcnemar_equals_counting_the_tails(lost: int, gained: int) -> None:
    total = lost + gained
    tail = sum(comb(total, k) for k in range(min(lost, gained) + 1)) / 2**total
    found = paired_test(*models(50, lost, gained, 7), replicates=10)
    assert found.mcnemar == pytest.approx(min(1.0, 2 * tail))
    assert (found.lost, found.gained) == (lost, gained)
    assert found.difference == pytest.approx((gained - lost) / (57 + total))


def test_known_answers() -> None:
    # Agresti, Categorical Data Analysis: 86 against 150 changed their minds
    found = paired_test(*models(794, 150, 86, 570))
    assert found.mcnemar == pytest.approx(3.72e-5, rel=0.01)
    assert found.significant
    # the textbook's interval by the normal approximation: -0.0595 to -0.0205
    assert found.low == pytest.approx(-0.0595, abs=2e-3)
    assert found.high == pytest.approx(-0.0205, abs=2e-3)
    assert not found.people


def test_no_difference() -> None:
    same = paired_test(*models(10, 0, 0, 5))
    assert (same.difference, same.low, same.high) == (0, 0, 0)
    assert same.p_value == same.mcnemar == 1.0
    assert not same.significant
    balanced = paired_test(*models(100, 20, 20, 60))
    assert balanced.low < 0 < balanced.high
    assert balanced.p_value > 0.5


def test_swapping_the_models_mirrors_the_answer() -> None:
    before, after = models(50, 4, 13, 10)
    there, back = paired_test(before, after), paired_test(after, before)
    assert there.mcnemar == back.mcnemar
    assert there.p_value == back.p_value
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_the_interval_equals_a_loop_over_people() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.random((2, 60)) < 0.6
    people = np.stack([np.arange(60) // 6] * 2, axis=1).astype(np.int32)
    people[30:, 1] = (people[30:, 0] + 3) % 10
    slow = []
    for weights in np.concatenate(list(pair_weights(60, people, 200, seed=0))):
        halves = []
        for half in (range(30), range(30, 60)):
            total = sum(weights[i] for i in half)
            change = sum(weights[i] * (int(after[i]) - int(before[i])) for i in half)
            halves.append(change / total if total else np.nan)
        slow.append(sum(halves) / 2)
    low, high = np.nanquantile(slow, [0.025, 0.975])
    found = paired_test(before, after, people, replicates=200)
    assert (found.low, found.high) == pytest.approx((low, high))
    finite = np.asarray(slow)[np.isfinite(slow)]
    far_side = min(np.sum(finite <= 1e-12), np.sum(finite >= -1e-12))
    assert found.p_value == pytest.approx(min(1, 2 * (far_side + 1) / (len(finite) + 1)))


def test_people_behind_many_items_make_a_difference_uncertain() -> None:
    """All that was gained is one person's: over items it is sure, over people it is not."""
    before, after = models(180, 0, 20, 0)
    people = np.stack([np.r_[np.arange(180) % 18, np.full(20, 18)]] * 2, axis=1).astype(np.int32)
    assert paired_test(before, after).significant
    assert not paired_test(before, after, people).significant
    assert paired_test(before, after, people).mcnemar < 1e-5


def test_lengths() -> None:
    with pytest.raises(DataError, match=r"one length, got \(3,\) and \(2,\)"):
        paired_test(np.ones(3, bool), np.ones(2, bool))
    with pytest.raises(DataError, match=r"got \(0,\) and \(0,\)"):
        paired_test(np.ones(0, bool), np.ones(0, bool))
