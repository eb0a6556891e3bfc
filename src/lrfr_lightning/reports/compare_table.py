"""Comparisons as tables: terminal, Markdown and JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from lrfr_lightning.protocols.result import ProtocolResult, resolution_name
from lrfr_lightning.reports.compare import Comparison
from lrfr_lightning.reports.markdown import escape, markdown_table
from lrfr_lightning.reports.table import Cell, Table
from lrfr_lightning.reports.terminal import plain, rich_table, stdout
from lrfr_lightning.reports.values import MISSING, label
from lrfr_lightning.utils.paths import whole_file

CAPTION = (
    "Metrics in %, differences in points. 95 % interval and p of the difference: bootstrap over "
    "people (over items where people are unknown); McNemar: exact, items taken as independent. "
    "Significant: p below 0.05, which one comparison in twenty reaches by chance."
)

_HEADER = (
    "px", "metric", "before", "after", "difference", "95 % interval", "p", "McNemar", "significant"
)  # fmt: skip


def comparison_tables(comparisons: Sequence[Comparison]) -> dict[str, Table]:
    """A table per measurement and pair of models, by title; one row per resolution and metric."""
    rows: dict[str, list[tuple[Cell, ...]]] = {}
    for comparison in comparisons:
        for metric in comparison.changes:
            texts = _row(comparison, metric)
            significant = texts[-1] == "yes"
            cells = tuple(Cell(text, significant) for text in texts)
            rows.setdefault(comparison.title, []).append(cells)
    return {title: Table(_HEADER, tuple(own)) for title, own in rows.items()}


def print_comparison(comparisons: Sequence[Comparison], console: Console | None = None) -> None:
    """Print every table; what is significant stands out.

    Args:
        comparisons: from :func:`~lrfr_lightning.reports.compare.compare`.
        console: where to print; by default stdout, as wide as the tables when it is a pipe.
    """
    tables = [
        (title, rich_table(table, CAPTION))
        for title, table in comparison_tables(comparisons).items()
    ]
    console = console or stdout([table for _, table in tables])
    for title, table in tables:
        console.print(plain(title), style="bold", markup=False)
        console.print(table)


def write_comparison(comparisons: Sequence[Comparison], folder: str | Path) -> None:
    """Write ``compare.json`` and ``compare.md`` into a folder, each whole or not at all."""
    parts = [
        f"### {escape(title)}\n\n{markdown_table(table)}"
        for title, table in comparison_tables(comparisons).items()
    ]
    content = [comparison.to_json() for comparison in comparisons]
    texts = {
        "compare.json": json.dumps({"comparisons": content}, indent=1, allow_nan=False) + "\n",
        "compare.md": "\n".join([*parts, f"{CAPTION}\n"]),
    }
    for name, text in texts.items():
        with whole_file(Path(folder) / name) as partial:
            partial.write_text(text)


def _row(comparison: Comparison, metric: str) -> list[str]:
    old, new = comparison.changes[metric]
    shown = [f"{100 * old:.2f}", f"{100 * new:.2f}", f"{100 * (new - old):+.2f}"]
    return [_sides(comparison.before), label(metric), *shown, *_test(comparison, metric)]


def _test(comparison: Comparison, metric: str) -> list[str]:
    test = comparison.test
    if test is None or metric != comparison.tested:
        return [MISSING] * 4
    interval = f"{100 * test.low:+.2f} to {100 * test.high:+.2f}"
    verdict = "yes" if test.significant else "no"
    return [interval, f"{test.p_value:.2g}", f"{test.mcnemar:.2g}", verdict]


def _sides(result: ProtocolResult) -> str:
    first = resolution_name(result.resolution)
    if result.degraded != "matrix":
        return first
    return f"{first} / {resolution_name(result.gallery_resolution)}"
