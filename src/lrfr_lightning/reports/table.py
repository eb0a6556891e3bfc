"""Results as rows of text: what the terminal, the Markdown and the HTML page print."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from lrfr_lightning.protocols.result import (
    ProtocolResult,
    Resolution,
    falling,
    resolution_label,
    resolution_name,
)
from lrfr_lightning.reports.blocks import FLOORS, controls, is_matrix, model_label
from lrfr_lightning.reports.values import (
    MISSING,
    headline,
    interval,
    interval_text,
    label,
    measured,
    spread_note,
    std_text,
    value_text,
)

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
Row = tuple[str, str, Resolution]
"""Model, control, and with ``matrix`` the resolution of the probes."""


def main_table(results: Sequence[ProtocolResult]) -> Table:
    """One row per model and control, one column per resolution: the headline metric in %.

    Of a matrix: one row per model, control and probe resolution, one column per gallery
    resolution. The best of a column is marked where models compete under the same control, with
    the same probes; models that print alike share the mark.

    Args:
        results: the results of one block.
    """
    metric, matrix = headline(results), is_matrix(results)
    found = {(_row(result, matrix), _column(result, matrix)): result for result in results}
    rows = list(dict.fromkeys(row for row, _ in found))
    sizes = sorted({size for _, size in found}, key=falling)
    cells = {
        (row, size): cell
        for size in sizes
        for rivals in _rivals(rows)
        for row, cell in _compare({row: found.get((row, size)) for row in rivals}, metric).items()
    }
    names, texts = _row_names(results, matrix)
    gallery = "gallery " if matrix else ""
    header = (*names, *(gallery + resolution_label(size) for size in sizes))
    body = ((*texts(row), *(cells[row, size] for size in sizes)) for row in rows)
    return Table(header, tuple(body))


def main_caption(results: Sequence[ProtocolResult]) -> str:
    """What the numbers of the main table are, and what its marks mean."""
    metric = headline(results)
    floors = "; floor: no face recogniser, what scene and colour alone give"
    any_floor = any(result.model in FLOORS for result in results)
    return f"{label(metric)} in %{spread_note(results, metric)}{floors if any_floor else ''}"


def best_note(results: Sequence[ProtocolResult]) -> str:
    """Among which entries of the main table the bold one is the best."""
    names, _ = _row_names(results, is_matrix(results))
    return f"the best of each {' and '.join(['column', *names[1:]])} in bold"


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


def _row(result: ProtocolResult, matrix: bool) -> Row:
    return result.model, result.control, result.resolution if matrix else None


def _column(result: ProtocolResult, matrix: bool) -> Resolution:
    return result.gallery_resolution if matrix else result.resolution


def _rivals(rows: list[Row]) -> list[list[Row]]:
    """Rows that may be compared: the same control and the same probes."""
    found: dict[tuple[str, Resolution], list[Row]] = {}
    for row in rows:
        found.setdefault(row[1:], []).append(row)
    return list(found.values())


def _row_names(
    results: Sequence[ProtocolResult], matrix: bool
) -> tuple[list[str], Callable[[Row], list[Cell]]]:
    """Headers of the columns that name a row, and what stands in them."""
    controlled = _controlled(results)
    names = ["model"] + ["control"] * controlled + ["probe"] * matrix

    def texts(row: Row) -> list[Cell]:
        model, control, probe = row
        entries = [model_label(model)] + [control] * controlled
        return [Cell(text) for text in entries + [resolution_label(probe)] * matrix]

    return names, texts


def _controlled(results: Sequence[ProtocolResult]) -> bool:
    return controls(results) != ["none"]


def _metric_columns(results: Sequence[ProtocolResult]) -> list[Column]:
    names = list(dict.fromkeys(name for result in results for name in result.metrics))
    shown = [name for name in names if not name.endswith("_std")]
    shown.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    columns: list[Column] = []
    for name in shown:
        spread = " ± std" if f"{name}_std" in names else ""
        columns.append((label(name) + spread, partial(std_text, metric=name, digits=2)))
        if any(interval(result, name) for result in results):
            columns.append(("95 % interval", partial(interval_text, metric=name, digits=2)))
    return columns


def _by_result(results: Sequence[ProtocolResult], columns: list[Column]) -> Table:
    shared: list[Column] = [("model", lambda r: model_label(r.model))]
    if _controlled(results):
        shared.append(("control", lambda r: r.control))
    shared.append(("px", lambda r: resolution_name(r.resolution)))
    if is_matrix(results):
        shared.append(("gallery px", lambda r: resolution_name(r.gallery_resolution)))
    every = shared + columns
    rows = (tuple(Cell(text(result)) for _, text in every) for result in results)
    return Table(tuple(name for name, _ in every), tuple(rows))


def _compare(rivals: dict[Row, ProtocolResult | None], metric: str) -> dict[Row, Cell]:
    values = {row: None if r is None else measured(r, metric) for row, r in rivals.items()}
    shown = [round(value, 1) for value in values.values() if value is not None]
    best = max(shown) if len(shown) > 1 else None
    marks = {row: value is not None and round(value, 1) == best for row, value in values.items()}
    return {
        row: Cell(MISSING if r is None else value_text(r, metric, digits=1), marks[row])
        for row, r in rivals.items()
    }


def _count(result: ProtocolResult, name: str) -> str:
    return f"{result.counts[name]:,}" if name in result.counts else MISSING


def _threshold(result: ProtocolResult, name: str) -> str:
    return f"{result.thresholds[name]:.4f}" if name in result.thresholds else MISSING
