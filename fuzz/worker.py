"""The process that reads damaged files; what ends it is known by the number it left behind."""

import json
import os
import struct
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from fuzz.guard import Guard, Outcome, forget_peak, peak_memory
from fuzz.mutate import mutated
from fuzz.parsers import PARSERS
from fuzz.seeds import Files

BAD = ("error", "hang", "memory", "code")
_REPORT = 50


class Source:
    """Damaged files of a parser, each known by its number.

    Args:
        name: of the parser.
        seed: further to the number.
        folder: an empty folder, where good files are made.
    """

    def __init__(self, name: str, seed: int, folder: Path) -> None:
        self.name, self.seed = name, seed
        self.good = PARSERS[name].seeds(folder)

    def files(self, number: int) -> tuple[Files, str]:
        """Good files, one of which is damaged, and the name of that one."""
        rng = Random(f"{self.name}/{self.seed}/{number}")
        good = rng.choice(self.good)
        name = rng.choice([name for name, data in good.items() if data])
        others = [data for files in self.good for data in files.values()]
        return good | {name: mutated(good[name], others, rng)}, name


def write(files: Files, folder: Path) -> None:
    """Put files into a folder; a new file is faster than to write over an old one."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(data)


def clear(folder: Path) -> None:
    """Remove the files of a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


def run(name: str, first: int, count: int, seed: int, folder: Path, out: Any) -> None:
    """Read that many files and tell of it."""
    (folder / "work").mkdir(parents=True, exist_ok=True)
    source, work, read = Source(name, seed, folder / "seeds"), folder / "work", PARSERS[name].read
    guard = Guard(work)
    for files in source.good:  # imports what is imported late
        write(files, work)
        outcome = guard.run(read, work)
        clear(work)
    guard.bound_memory()
    before = forget_peak()
    place = os.open(folder / "number", os.O_RDWR | os.O_CREAT)
    kinds: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    slowest = 0.0
    for number in range(first, first + count):
        os.pwrite(place, struct.pack("<q", number), 0)
        files, damaged = source.files(number)
        write(files, work)
        outcome = guard.run(read, work)
        clear(work)
        kinds[outcome.kind] += 1
        errors[outcome.error.partition(":")[0]] += 1
        slowest = max(slowest, outcome.seconds)
        if outcome.kind in BAD:
            tell(out, {"found": _found(number, damaged, outcome)})
        if (number + 1 - first) % _REPORT == 0 or number + 1 == first + count:
            tell(out, {"kinds": kinds, "errors": errors, "slowest": slowest})
            kinds.clear()
            errors.clear()
    tell(out, {"peak": peak_memory() - before})


def _found(number: int, damaged: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "number": number,
        "file": damaged,
        "kind": outcome.kind,
        "seconds": outcome.seconds,
        "error": outcome.error,
    }


def tell(out: Any, content: dict[str, Any]) -> None:
    """Write a line to the process that waits for it."""
    out.write(json.dumps(content) + "\n")
    out.flush()


def work(name: str, first: int, count: int, seed: int, folder: Path, out: int) -> NoReturn:
    """All that a forked process does; what libraries print goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        (folder / "seeds").mkdir(parents=True, exist_ok=True)
        with os.fdopen(out, "w") as lines:
            run(name, first, count, seed, folder, lines)
    finally:
        os._exit(0 if sys.exc_info()[0] is None else 1)
