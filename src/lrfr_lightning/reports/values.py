"""One number of a result, in %, with its spread, and the names the field has for it."""

import math
import re
from collections.abc import Sequence

from lrfr_lightning.protocols.result import ProtocolResult

MISSING = "\u2013"


def headline(results: Sequence[ProtocolResult]) -> str:
    """The metric of the main table: accuracy or rank-1, or the first that grows with quality."""
    names = dict.fromkeys(name for result in results for name in result.metrics)
    scores = [name for name in names if name != "eer" and not name.endswith("_std")]
    first = [name for name in ("accuracy", "rank1") if name in scores]
    return (first or scores or ["accuracy"])[0]


def label(metric: str) -> str:
    """A metric's name as the field writes it.

    >>> label("tar@far=0.001"), label("rank1/day"), label("map")
    ('TAR@FAR=0.001', 'rank-1/day', 'mAP')
    """
    if "@" in metric or metric in ("eer", "auc"):
        return metric.upper()
    return "mAP" if metric == "map" else re.sub(r"^rank(\d)", r"rank-\1", metric)


def measured(result: ProtocolResult, metric: str) -> float | None:
    """A metric's value in %, or None if it was not measured."""
    value = result.metrics.get(metric)
    return None if value is None or not math.isfinite(value) else 100 * value


def interval(result: ProtocolResult, metric: str) -> tuple[float, float] | None:
    """The 95 % confidence interval of a metric in %, or None if none was measured."""
    ends = [end for end in result.intervals.get(metric, []) if end is not None]
    return (100 * ends[0], 100 * ends[1]) if len(ends) == 2 else None


def value_text(result: ProtocolResult, metric: str, digits: int) -> str:
    """``91.2 [90.1, 92.3]`` where the interval is known, else ``91.2 ± 1.2`` or ``91.2``."""
    ends = interval(result, metric)
    if ends is None or measured(result, metric) is None:
        return std_text(result, metric, digits)
    return f"{measured(result, metric):.{digits}f} {_brackets(ends, digits)}"


def std_text(result: ProtocolResult, metric: str, digits: int) -> str:
    """``91.2 ± 1.2``, or ``91.2`` where no deviation over folds is known."""
    value, std = measured(result, metric), measured(result, f"{metric}_std")
    if value is None:
        return MISSING
    spread = "" if std is None else f" ± {std:.{digits}f}"
    return f"{value:.{digits}f}{spread}"


def interval_text(result: ProtocolResult, metric: str, digits: int) -> str:
    """``[90.1, 92.3]``."""
    ends = interval(result, metric)
    return MISSING if ends is None else _brackets(ends, digits)


def spread_note(results: Sequence[ProtocolResult], metric: str) -> str:
    """What stands behind the numbers of a metric: an interval, a deviation, or nothing."""
    known = [interval(result, metric) is not None for result in results]
    deviations = [measured(result, f"{metric}_std") is not None for result in results]
    plain = any(std for std, ends in zip(deviations, known, strict=True) if not ends)
    notes = ["[low, high] of 95 % confidence"] * any(known) + ["± std"] * plain
    return f", {' or '.join(notes)}" if notes else ""


def _brackets(ends: tuple[float, float], digits: int) -> str:
    return f"[{ends[0]:.{digits}f}, {ends[1]:.{digits}f}]"
