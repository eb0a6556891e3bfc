"""Intervals over people, against a loop that writes every drawn pair out."""

import time

import numpy as np
import pytest

from lrfr_lightning.functional.bootstrap import pair_weights, verification_intervals
from lrfr_lightning.functional.folds import decided_rightly, kfold_accuracy
from lrfr_lightning.functional.verification import (
    area_under_curve,
    best_threshold,
    equal_error_rate,
    tar_at_far,
)

FARS = (0.1, 0.05)


def draw(
    seed: int, people: int, pairs: int, ties: bool = False, spread: float = 0.5
) -> tuple[np.ndarray, ...]:
    """Scores, same, folds and people of random pairs, genuine and impostor alternating."""
    rng = np.random.default_rng(seed)
    same = np.arange(pairs) % 2 == 0
    first = rng.integers(0, people, pairs)
    second = np.where(same, first, (first + rng.integers(1, people, pairs)) % people)
    # people differ in how hard they are, so that their pairs hang together
    ease = rng.normal(size=people)
    scores = rng.normal(size=pairs) + 1.5 * same + spread * (ease[first] + ease[second])
    scores = np.tanh(scores / 3)
    fold = np.arange(pairs) * 5 // pairs
    members = np.stack([first, second], axis=1).astype(np.int32)
    return (np.round(scores, 1) if ties else scores), same, fold, members


def intervals(
    scores: np.ndarray, same: np.ndarray, fold: np.ndarray, people: np.ndarray | None, number: int
) -> dict[str, list[float]]:
    folds = kfold_accuracy(scores, same, fold, best_threshold)
    correct = decided_rightly(scores, same, fold, folds)
    return verification_intervals(scores, same, correct, fold, people, FARS, number)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("known", [True, False])
def test_weights_do_what_writing_the_drawn_pairs_out_does(ties: bool, known: bool) -> None:
    scores, same, fold, people = draw(0, 12, 80, ties)
    members = people if known else None
    folds = kfold_accuracy(scores, same, fold, best_threshold)
    correct = decided_rightly(scores, same, fold, folds)
    slow: dict[str, list[float]] = {}
    for weights in np.concatenate(list(pair_weights(len(scores), members, 60))):
        copies = np.repeat(np.arange(len(scores)), weights.astype(int))
        s, g = scores[copies], same[copies]
        # each fold counts alike, each class has the share it has in the list
        parts = [
            np.sum((same == kind) / 80) * np.average(correct[own], weights=1 / counts[own])
            for kind, counts in ((True, np.bincount(fold)[fold]), (False, np.bincount(fold)[fold]))
            for own in [copies[g == kind]]
        ]
        values = {"accuracy": sum(parts), "auc": area_under_curve(s, g),
                  "eer": equal_error_rate(s, g)}  # fmt: skip
        values |= {f"tar@far={far:g}": tar_at_far(s, g, far) for far in FARS}
        for name, value in values.items():
            slow.setdefault(name, []).append(value)
    found = intervals(scores, same, fold, members, 60)
    for name, values in slow.items():
        np.testing.assert_allclose(found[name], np.quantile(values, [0.025, 0.975]), atol=1e-9)


def test_a_person_brings_own_pairs_once_per_draw_and_meets_others_as_a_product() -> None:
    people = np.array([[0, 0], [0, 1], [1, 1], [1, 2], [2, 2]], np.int32)
    weights = np.concatenate(list(pair_weights(5, people, 500)))
    assert (weights[:, [0, 2, 4]].sum(axis=1) == 3).all()
    np.testing.assert_array_equal(weights[:, 1], weights[:, 0] * weights[:, 2])
    np.testing.assert_array_equal(weights[:, 3], weights[:, 2] * weights[:, 4])
    assert weights.max() == 3
    unknown = np.concatenate(list(pair_weights(5, None, 500)))
    assert (unknown.sum(axis=1) == 5).all()
    assert len(np.unique(unknown, axis=0)) > 50


def test_seed_decides_and_blocks_do_not_matter() -> None:
    scores, same, fold, people = draw(1, 40, 200)
    assert intervals(scores, same, fold, people, 50) == intervals(scores, same, fold, people, 50)
    shuffled = np.random.default_rng(0).permutation(200)
    again = intervals(scores[shuffled], same[shuffled], fold[shuffled], people[shuffled], 50)
    for name, ends in intervals(scores, same, fold, people, 50).items():
        np.testing.assert_allclose(again[name], ends, atol=1e-12)


def test_intervals_hold_the_value_and_widen_where_few_people_stand_behind_it() -> None:
    few, many = draw(2, 15, 1000, spread=2), draw(2, 1000, 1000, spread=2)
    found = [intervals(*data, 300) for data in (few, many)]
    for (scores, same, *_), ends in zip((few, many), found, strict=True):
        low, high = ends["auc"]
        assert low < area_under_curve(scores, same) < high
    widths = [ends["auc"][1] - ends["auc"][0] for ends in found]
    assert widths[0] > 1.5 * widths[1]


def test_intervals_cover_the_truth_in_95_of_100_lists() -> None:
    """Lists drawn anew from a known population, in which nobody stands in two impostor pairs."""
    truth, hits = 0.76025, 0  # of two normals one deviation apart: Phi(1 / sqrt 2)
    for seed in range(100):
        rng = np.random.default_rng(seed)
        same = np.arange(400) % 2 == 0
        people = np.stack([np.arange(400), np.arange(400) + 1000 * ~same], axis=1).astype(np.int32)
        low, high = intervals(
            rng.normal(size=400) + same, same, np.arange(400) // 80, people, 200
        )["auc"]  # fmt: skip
        hits += low <= truth <= high
    # wide rather than narrow, as the docstring says
    assert hits >= 95


def test_a_perfect_model_has_no_width() -> None:
    scores, same, fold, people = draw(3, 30, 100)
    found = intervals(np.where(same, 0.9, 0.1) + 0.01 * scores, same, fold, people, 100)
    assert found["accuracy"] == found["auc"] == [1.0, 1.0]
    assert found["eer"] == [0.0, 0.0]


def test_six_thousand_pairs_take_seconds() -> None:
    data = draw(4, 4000, 6000)
    start = time.process_time()
    intervals(*data, 1000)
    assert time.process_time() - start < 5
