"""Errors by group of people, as a table."""

from collections.abc import Sequence
from typing import Any

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import model_label, shown_label
from lrfr_lightning.reports.table import Cell, Table
from lrfr_lightning.reports.values import MISSING, label

GROUPS_CAPTION = (
    "errors in % by group of people, at the thresholds of all pairs; [low, high] of 95 % "
    f"confidence; {MISSING} where the pairs are too few to measure it"
)

_HEADER = ("model", "images", "threshold of", "group", "genuine", "FNMR", "impostor", "FMR")


def groups_table(results: Sequence[ProtocolResult]) -> Table | None:
    """One row per result, threshold and group; None where no result has groups."""
    rows = [(result, entry) for result in results for entry in result.groups]
    return Table(_HEADER, tuple(_row(*row) for row in rows)) if rows else None


def _row(result: ProtocolResult, entry: dict[str, Any]) -> tuple[Cell, ...]:
    texts = (
        model_label(result.model),
        shown_label(result),
        label(entry["at"]),
        entry["group"],
        f"{entry['genuine']:,}",
        _rate(entry, "fnmr"),
        f"{entry['impostor']:,}",
        _rate(entry, "fmr"),
    )
    return tuple(Cell(text) for text in texts)


def _rate(entry: dict[str, Any], name: str) -> str:
    if entry[name] is None:
        return MISSING
    ends = ", ".join(f"{100 * end:.2f}" for end in entry.get(f"{name}_interval", ()))
    return f"{100 * entry[name]:.2f}" + (f" [{ends}]" if ends else "")
