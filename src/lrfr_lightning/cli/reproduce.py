"""``lrfr reproduce``: run what a results file says again, and compare every number."""

import json
import sys
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from lrfr_lightning.cli.main import main
from lrfr_lightning.cli.recognition_options import print_table
from lrfr_lightning.protocols.difference import Difference, causes, differences
from lrfr_lightning.protocols.result import read_results
from lrfr_lightning.utils.errors import DataError

_WRITTEN = {"evaluate": "", "trial": "", "study": "results.json"}
"""Commands that measure, and where below ``--output`` their results lie."""


def run(args: list[str]) -> list[Difference]:
    """Run again, compare, print; a difference ends the process with exit code 1."""
    parser = ArgumentParser(
        prog="lrfr reproduce",
        description="Runs the command of a results file again, in the folder where it was run, and "
        "compares every number to the last bit. Exit code 1: they differ.",
    )
    parser.add_argument("results", help="results file of lrfr evaluate, trial or study")
    parser.add_argument("--output", help="what the new run writes; by default RESULTS.again.json")
    parser.add_argument("--with", dest="other", help="compare with this file, and run nothing")
    options = parser.parse_args(args[1:])
    first = read_results(options.results)
    before = json.loads(Path(options.results).read_text())
    again = Path(options.other) if options.other else _again(before, options)
    second, after = read_results(again), json.loads(again.read_text())
    found = differences(first, second)
    why = causes(before, after, first, second)
    _show("not as it was", why)
    _show("differs", found)
    count = sum(len(result.metrics) for result in first)
    print(
        f"{options.results} and {again}: "
        + (f"{len(found)} differences" if found else f"equal, all {count} metrics to the last bit")
    )
    if found:
        sys.exit(1)
    return found


def _again(content: dict[str, Any], options: Any) -> Path:
    """Run the command; the file it writes.

    Raises:
        DataError: the file does not say by which command it was made, or by one that trains.
    """
    command = content.get("command") or [""]
    if not all(isinstance(part, str) for part in command) or command[0] not in _WRITTEN:
        raise DataError(
            f"{options.results} does not say which of {', '.join(_WRITTEN)} wrote it; repeat "
            "what did, and compare the two files: lrfr reproduce FILE --with OTHER"
        )
    written = Path(options.results)
    output = Path(options.output or written.with_suffix(f".again{written.suffix}"))
    below = _WRITTEN[command[0]]
    target = output.with_suffix("") if below else output
    print(f"lrfr {' '.join(command)} --output {target}", flush=True)
    main([*command, "--output", str(target)])
    return target / below


def _show(title: str, found: list[Difference]) -> None:
    rows = [(entry.where, _text(entry.before), _text(entry.after), _by(entry)) for entry in found]
    if rows:
        print_table((title, "before", "after", "by"), rows, "")


def _text(value: Any) -> str:
    return "\u2013" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _by(entry: Difference) -> str:
    both = isinstance(entry.before, float) and isinstance(entry.after, float)
    return f"{entry.after - entry.before:+.3g}" if both else ""
