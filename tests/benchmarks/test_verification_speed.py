"""The benchmark of verification, and our thresholds beside the grid's."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from benchmarks.verification import GRID, measure, pairs, training_lead
from benchmarks.verification_peers import grid_kfold, sklearn_kfold

from lrfr_lightning.functional.folds import kfold_accuracy
from lrfr_lightning.functional.verification import best_threshold, grid_threshold


def test_rows_name_the_peers() -> None:
    rows = measure(quick=True)
    assert rows[0].peer == GRID
    assert rows[1].peer.startswith("scikit-learn")
    assert all(row.ratio_to_peer > 1 for row in rows)
    assert "points" in rows[0].note
    json.dumps([asdict(row) for row in rows])  # what the command writes


@pytest.mark.parametrize("spread", [1.0, 0.05, 0.002])
def test_training_accuracy_is_never_lower_than_the_grids(spread: float) -> None:
    scores, same, fold = pairs(1000)
    lead = training_lead(scores * spread, same, fold)
    assert (lead >= 0).all()
    # the closer the scores, the coarser the grid
    assert spread == 1.0 or lead.max() > 0


def test_grid_rule_equals_the_usual_evaluation() -> None:
    for seed in range(3):
        scores, same, fold = pairs(800)
        order = np.random.default_rng(seed).permutation(800)
        scores, same = scores[order] ** 3, same[order]
        accuracy, threshold, _ = grid_kfold(scores, same, fold)
        ours = kfold_accuracy(scores, same, fold, grid_threshold)
        np.testing.assert_array_equal(ours.accuracy, accuracy)
        np.testing.assert_allclose(ours.threshold, threshold, atol=1e-12)


def test_scikit_learn_finds_accuracies_as_good() -> None:
    scores, same, fold = pairs(1000)
    ours = kfold_accuracy(scores, same, fold, best_threshold).accuracy.mean()
    assert sklearn_kfold(scores, same, fold).mean() == pytest.approx(ours, abs=0.01)
