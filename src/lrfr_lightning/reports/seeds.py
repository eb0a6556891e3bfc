"""Several runs of one recipe, which differ in their seed only, as one result."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import shown_label
from lrfr_lightning.utils.errors import DataError

RUN_STD = "accuracy_seed_std"
"""Metric: standard deviation of the accuracy over seeds (n - 1); None for one seed."""


def mean_over_seeds(runs: Sequence[Sequence[ProtocolResult]], model: str) -> list[ProtocolResult]:
    """Results of each run, in one order of protocols and resolutions → their means.

    Metrics and thresholds are means over the runs, ``accuracy_std`` too: it stays the deviation
    over folds. ``accuracy_seed_std`` and the count ``seeds`` are added. Curves and examples are the
    first run's; what is of one run and not of the mean is left out: intervals, outcomes, groups and
    the model's fingerprint.

    Args:
        runs: for each seed the results of its model.
        model: the name of all of them together.

    Raises:
        DataError: the runs were not measured on the same.
    """
    if len({tuple(_measured(result) for result in run) for run in runs}) != 1:
        raise DataError(f"{model}: its runs were measured on different protocols or resolutions")
    return [_mean(list(same), model) for same in zip(*runs, strict=True)]


def _measured(result: ProtocolResult) -> tuple[str, ...]:
    settings = (result.protocol, result.setting, result.degraded, result.down, result.up)
    further = (str(result.flip), result.control, str(result.threshold_rule))
    return (*settings, *further, shown_label(result))


def _mean(results: list[ProtocolResult], model: str) -> ProtocolResult:
    metrics = {name: _average([r.metrics[name] for r in results]) for name in results[0].metrics}
    single = len(results) == 1
    accuracies = [result.metrics["accuracy"] or 0.0 for result in results]
    metrics[RUN_STD] = None if single else float(np.std(accuracies, ddof=1))
    names = results[0].thresholds
    return replace(
        results[0],
        model=model,
        metrics=metrics,
        thresholds={n: round(_average([r.thresholds[n] for r in results]) or 0, 6) for n in names},
        counts=results[0].counts | {"seeds": len(results)},
        intervals=results[0].intervals if single else {},
        outcomes=results[0].outcomes if single else {},
        groups=results[0].groups if single else [],
        model_fingerprint=results[0].model_fingerprint if single else None,
    )


def _average(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
