"""Results as LaTeX tables, for a paper; they need the package ``booktabs``."""

from collections.abc import Sequence

from lrfr_lightning.protocols.result import ProtocolResult
from lrfr_lightning.reports.blocks import Block, group
from lrfr_lightning.reports.table import Cell, Table, best_note, main_caption, main_table
from lrfr_lightning.reports.values import MISSING

_INERT = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        # a bracket that opens the text after a line break would be read as its length
        "[": "{[}",
        "±": r"$\pm$",
        "·": r"$\cdot$",
        MISSING: "--",
    }
)


def render_latex(results: Sequence[ProtocolResult]) -> str:
    """The main table of every block, its conditions in the caption; names are escaped.

    Signs outside ASCII that a name brings along need an engine that knows them, such as XeLaTeX.

    Raises:
        DataError: there are no results, or one model has two results for the same measurement.
    """
    return "\n".join(_block(block) for block in group(results))


def _block(block: Block) -> str:
    table = main_table(block.results)
    facts = "; ".join(f"{name}: {text}" for name, text in block.facts.items() if text)
    numbers = f"{main_caption(block.results)}; {best_note(block.results)}"
    caption = f"{block.title}: {numbers}. {facts}."
    lines = (
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{_escape(caption)}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
        *_rows(table),
        r"\end{tabular}",
        r"\end{table}",
    )
    return "".join(f"{line}\n" for line in lines)


def _rows(table: Table) -> list[str]:
    header = " & ".join(_escape(name) for name in table.header)
    body = (" & ".join(_cell(cell) for cell in row) for row in table.rows)
    rows = (rf"{row} \\" for row in body)
    return [r"\toprule", rf"{header} \\", r"\midrule", *rows, r"\bottomrule"]


def _cell(cell: Cell) -> str:
    return rf"\textbf{{{_escape(cell.text)}}}" if cell.best else _escape(cell.text)


def _escape(text: str) -> str:
    """A name with LaTeX's own characters made inert, on one line."""
    return " ".join(text.split()).translate(_INERT)
