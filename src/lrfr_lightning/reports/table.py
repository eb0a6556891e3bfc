"""Results as rows of text: what the terminal, the Markdown and the HTML page print."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lrfr_lightning.protocols.result import ProtocolResult, resolution_label, resolution_name
from lrfr_lightning.reports.blocks import models, resolutions

MISSING = "\u2013"
_FIRST = ("accuracy", "eer", "auc")


@dataclass(frozen=True)
class Cell:
    """One entry of a table; ``best`` when it is the best of its column."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A header and rows of the same length."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


Column = tuple[str, Callable[[ProtocolResult], str]]


def main_table(results: Sequence[ProtocolResult]) -> Table:
    """One row per model and one column per resolution: the headline metric in %, ± std.

    The best of a column is marked where models compete; models that print alike share the mark.

    Args:
        results: the results of one block.
    """
    metric, sizes, names = headline(results), resolutions(results), models(results)
    found = {(result.model, result.resolution): result for result in results}
    columns = [_compare([found.get((name, size)) for name in names], metric) for size in sizes]
    rows = zip((Cell(name) for name in names), *columns, strict=True)
    return Table(("model", *(resolution_label(size) for size in sizes)), tuple(rows))


def full_table(results: Sequence[ProtocolResult]) -> Table:
    """One row per result with every metric in %, and the counts in which the results differ.

    Args:
        results: the results of one block, whose facts hold the counts that all share.
    """
    names = dict.fromkeys(name for result in results for name in result.counts)
    varied = [name for name in names if len({result.counts.get(name) for result in results}) > 1]
    counts: list[Column] = [(name, partial(_count, name=name)) for name in varied]
    return _by_result(results, _metric_columns(results) + counts)


def threshold_table(results: Sequence[ProtocolResult]) -> Table | None:
    """One row per result with the cosine threshold behind each metric, if any is known."""
    names = dict.fromkeys(name for result in results for name in result.thresholds)
    columns: list[Column] = [(label(name), partial(_threshold, name=name)) for name in names]
    return _by_result(results, columns) if columns else None


def headline(results: Sequence[ProtocolResult]) -> str:
    """The metric of the main table: the accuracy, or the first that grows with quality."""
    names = dict.fromkeys(name for result in results for name in result.metrics)
    scores = [name for name in names if name != "eer" and not name.endswith("_std")]
    return "accuracy" if "accuracy" in scores or not scores else scores[0]


def label(metric: str) -> str:
    """A metric's name as the field writes it.

    >>> label("tar@far=0.001")
    'TAR@FAR=0.001'
    """
    return metric.upper() if "@" in metric or metric in ("eer", "auc") else metric


def measured(result: ProtocolResult, metric: str) -> float | None:
    """A metric's value in %, or None if it was not measured."""
    value = result.metrics.get(metric)
    return None if value is None or not math.isfinite(value) else 100 * value


def _metric_columns(results: Sequence[ProtocolResult]) -> list[Column]:
    names = list(dict.fromkeys(name for result in results for name in result.metrics))
    shown = [name for name in names if not name.endswith("_std")]
    shown.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    columns: list[Column] = []
    for name in shown:
        spread = " ± std" if f"{name}_std" in names else ""
        columns.append((label(name) + spread, partial(_percent, metric=name, digits=2)))
    return columns


def _by_result(results: Sequence[ProtocolResult], columns: list[Column]) -> Table:
    shared: list[Column] = [
        ("model", lambda r: r.model),
        ("px", lambda r: resolution_name(r.resolution)),
    ]
    every = shared + columns
    rows = (tuple(Cell(text(result)) for _, text in every) for result in results)
    return Table(tuple(name for name, _ in every), tuple(rows))


def _compare(column: list[ProtocolResult | None], metric: str) -> list[Cell]:
    texts = [MISSING if r is None else _percent(r, metric, digits=1) for r in column]
    values = [None if r is None else measured(r, metric) for r in column]
    shown = [round(value, 1) for value in values if value is not None]
    best = max(shown) if len(shown) > 1 else None
    marks = [value is not None and round(value, 1) == best for value in values]
    return [Cell(text, mark) for text, mark in zip(texts, marks, strict=True)]


def _percent(result: ProtocolResult, metric: str, digits: int) -> str:
    value, std = measured(result, metric), measured(result, f"{metric}_std")
    if value is None:
        return MISSING
    spread = "" if std is None else f" ± {std:.{digits}f}"
    return f"{value:.{digits}f}{spread}"


def _count(result: ProtocolResult, name: str) -> str:
    return f"{result.counts[name]:,}" if name in result.counts else MISSING


def _threshold(result: ProtocolResult, name: str) -> str:
    return f"{result.thresholds[name]:.4f}" if name in result.thresholds else MISSING
