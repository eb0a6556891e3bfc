"""Results as Markdown tables, for a README or a pull request."""

import re
from collections.abc import Sequence

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import Block, group
from lrfr_lightning.reports.groups import GROUPS_CAPTION, groups_table
from lrfr_lightning.reports.table import Cell, Table, best_note, main_caption, main_table

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>&#|~!$])")


def render_markdown(results: Sequence[ProtocolResult], figure: str | None = None) -> str:
    """The main table of every block, under how it was measured.

    Args:
        results: of one or several models.
        figure: address of an image of the accuracy against resolution, as seen from the text.

    Raises:
        DataError: there are no results, or one model has two results for the same measurement.
    """
    parts = [_section(block) for block in group(results)]
    if figure:
        parts.append(f"![accuracy against resolution]({figure})\n")
    return "\n".join(parts)


def _section(block: Block) -> str:
    facts = [f"{name}: {escape(text)}" for name, text in block.facts.items() if text]
    caption = escape(main_caption(block.results))
    groups = groups_table(block.results)
    by_group = [markdown_table(groups), f"{escape(GROUPS_CAPTION)}.\n"] if groups else []
    return "\n".join(
        (
            f"### {escape(block.title)}\n",
            f"{'; '.join(facts)}.\n",
            markdown_table(main_table(block.results)),
            f"{caption}; {best_note(block.results)}.\n",
            *by_group,
        )
    )


def markdown_table(table: Table) -> str:
    """Header, rule and rows, one line each; the best of a column in bold."""
    rules = [":--"] + ["--:"] * (len(table.header) - 1)
    header = [escape(name) for name in table.header]
    rows = [[_cell(cell) for cell in row] for row in table.rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in (header, rules, *rows))


def _cell(cell: Cell) -> str:
    return f"**{escape(cell.text)}**" if cell.best else escape(cell.text)


def escape(text: str) -> str:
    """A name with Markdown's own characters made inert, on one line."""
    return _ACTIVE.sub(r"\\\1", " ".join(text.split()))
