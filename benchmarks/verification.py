"""Ten-fold verification of 6,000 pairs beside the field's threshold grid and scikit-learn."""

from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from benchmarks.clock import medians
from benchmarks.row import Row
from benchmarks.verification_peers import Flags, Numbers, grid_kfold, sklearn_kfold
from lrfr_lightning.functional.folds import kfold_accuracy
from lrfr_lightning.functional.verification import accuracy_at, best_threshold

TARGET = 80.0
"""How many times faster than the grid."""
GRID = "400-step threshold grid, the usual way"


def measure(quick: bool) -> list[Row]:
    """One row for each peer."""
    scores, same, fold = pairs(600 if quick else 6000)
    steps = {
        "ours": lambda: kfold_accuracy(scores, same, fold, best_threshold),
        GRID: lambda: grid_kfold(scores, same, fold),
    }
    sklearn = _sklearn_name()
    if sklearn:
        steps[sklearn] = lambda: sklearn_kfold(scores, same, fold)
    seconds = medians(steps, 1 if quick else 15, warm_up=2)
    lead = training_lead(scores, same, fold)
    return [
        Row(
            name=f"ten-fold verification, {len(scores):,} pairs",
            sense="speed",
            seconds=seconds["ours"],
            peer=peer,
            ratio_to_peer=seconds[peer] / seconds["ours"],
            target=f"≥ {TARGET:.0f} x the grid, no fold's training accuracy lower"
            if peer == GRID
            else "",
            met=seconds[peer] / seconds["ours"] >= TARGET and bool(lead.min() >= 0)
            if peer == GRID
            else None,
            note=f"training accuracy of a fold above the grid's by {100 * lead.min():.3f} to "
            f"{100 * lead.max():.3f} points"
            if peer == GRID
            else "",
        )
        for peer in steps
        if peer != "ours"
    ]


def pairs(count: int) -> tuple[Numbers, Flags, NDArray[np.int64]]:
    """Cosines of a middling network, genuine and impostor runs in turn, ten folds."""
    generator = np.random.default_rng(0)
    same = np.arange(count) * 20 // count % 2 == 0
    scores = np.clip(generator.normal(np.where(same, 0.45, 0.1), 0.15), -1, 1)
    return scores, same, np.arange(count) * 10 // count


def training_lead(scores: Numbers, same: Flags, fold: NDArray[np.int64]) -> Numbers:
    """Accuracy on each fold's training pairs, ours less the grid's, ``(10,)``."""
    ours = kfold_accuracy(scores, same, fold, best_threshold)
    numbers = np.unique(fold)
    reached = [
        accuracy_at(scores[fold != n], same[fold != n], threshold)
        for n, threshold in zip(numbers, ours.threshold, strict=True)
    ]
    return np.asarray(reached) - grid_kfold(scores, same, fold)[2]


def _sklearn_name() -> str:
    try:
        return f"scikit-learn {version('scikit-learn')} roc_curve"
    except PackageNotFoundError:
        return ""
