"""The plan on one page of the terminal."""

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from lrfr_lightning.cli.plan.finding import Check, State
from lrfr_lightning.reports.terminal import plain

_MARKS: dict[State, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "doubt": ("doubt", "bold yellow"),
    "fault": ("FAULT", "bold red"),
    "unknown": ("?", "dim"),
}


def print_plan(found: list[Check]) -> None:
    """Print a line for each check; a pipe gets 100 columns."""
    table = Table.grid("", "", Column(overflow="fold"), padding=(0, 2))
    before = ""
    for check in found:
        mark, style = _MARKS[check.state]
        name = "" if check.name == before else check.name
        table.add_row(name, Text(mark, style), Text(plain(check.text)))
        before = check.name
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 100)
    console.print(table)
