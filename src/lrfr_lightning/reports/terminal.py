"""Results as tables in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import Block, group, is_matrix
from lrfr_lightning.reports.groups import GROUPS_CAPTION, groups_table
from lrfr_lightning.reports.table import Cell, Table, full_table, main_caption, main_table

_UNBOUNDED = 10_000


def print_tables(results: Sequence[ProtocolResult], console: Console | None = None) -> None:
    """Print, per block, how it was measured, the main table and (but of a matrix) every metric.

    Args:
        results: of one or several models.
        console: where to print; by default stdout, as wide as the tables when it is a pipe.

    Raises:
        DataError: there are no results, or one model has two results for the same measurement.
    """
    blocks = [(block, _tables(block)) for block in group(results)]
    console = console or stdout([table for _, tables in blocks for table in tables])
    for block, tables in blocks:
        console.print(_heading(block), soft_wrap=True)
        console.print(*tables, sep="\n")


def _heading(block: Block) -> Text:
    facts = "; ".join(f"{name}: {text}" for name, text in block.facts.items() if text)
    return Text.assemble((plain(block.title), "bold"), "\n", plain(facts))


def _tables(block: Block) -> list[RichTable]:
    results = block.results
    main = rich_table(main_table(results), main_caption(results))
    groups = groups_table(results)
    by_group = [rich_table(groups, GROUPS_CAPTION)] if groups else []
    if is_matrix(results):
        return [main, *by_group]
    return [main, rich_table(full_table(results), "every metric in %"), *by_group]


def rich_table(table: Table, caption: str) -> RichTable:
    """A table as Rich prints it, with a caption below."""
    rich = RichTable(caption=Text(plain(caption)), caption_justify="left")
    for number, name in enumerate(table.header):
        justify = "right" if number else "left"
        rich.add_column(_text(Cell(name)), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in table.rows:
        rich.add_row(*(_text(cell) for cell in row))
    return rich


def _text(cell: Cell) -> Text:
    return Text(plain(cell.text), style="bold" if cell.best else "")


def plain(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)


def stdout(tables: list[RichTable]) -> Console:
    """The terminal, or a pipe as wide as the tables."""
    console = Console()
    if not console.is_terminal:
        options = console.options.update(max_width=_UNBOUNDED)
        widths = (Measurement.get(console, options, table).maximum for table in tables)
        console.width = max(console.width, *widths)
    return console
