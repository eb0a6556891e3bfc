"""``python -m fuzz``: damaged files for every reader, in processes that may not harm this one."""

import argparse
import json
import os
import select
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fuzz.parsers import PARSERS
from fuzz.worker import Source, work
from lrfr_lightning.utils.paths import whole_file

PATIENCE = 60
"""Seconds without a word after which a process is ended: it hangs where no signal reaches it."""

_DEATHS = 20


@dataclass
class Tally:
    """What came of one parser's files.

    Attributes:
        inputs: how many were read.
        kinds: how many were ``read``, ``refused`` or anything else.
        errors: how many by the type of the error.
        slowest: seconds of computing.
        peak: bytes of memory, on top of those that the process has before it reads.
        seconds: on the clock, the start of the process included.
        found: what must not be: number, file, kind and error.
    """

    inputs: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    peak: int = 0
    seconds: float = 0.0
    found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, told: dict[str, Any]) -> int:
        """Count what a process told; how many further files it has read."""
        self.kinds.update(told.get("kinds", {}))
        self.errors.update(told.get("errors", {}))
        self.slowest = max(self.slowest, told.get("slowest", 0.0))
        self.peak = max(self.peak, told.get("peak", 0))
        if "found" in told:
            self.found.append(told["found"])
        return sum(told.get("kinds", {}).values())


def main() -> None:
    """Read as many files as asked for, write what came of them and keep the bad ones."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("parsers", nargs="*", choices=[*PARSERS, []], help="by default all")
    parser.add_argument("--inputs", type=int, default=20_000, help="files in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("runs/fuzz"), help="folder")
    options = parser.parse_args()
    names = options.parsers or list(PARSERS)
    each = -(-options.inputs // len(names))
    tallies: dict[str, Tally] = {}
    tqdm.monitor_interval = 0  # a thread would not survive a fork
    with tqdm(total=each * len(names), unit="file", mininterval=1) as bar:
        for name in names:
            bar.set_description(name)
            tallies[name] = _run(name, each, options.seed, bar)
            _keep(name, options.seed, tallies[name], options.output)
            _write(tallies, options.output / "fuzz.json")
    bad = sum(len(own.found) for own in tallies.values())
    print(f"{sum(own.inputs for own in tallies.values())} files, {bad} bad: {options.output}")
    sys.exit(1 if bad else 0)


def _run(name: str, count: int, seed: int, bar: Any) -> Tally:
    """All files of one parser; a process that dies is replaced behind the file it died of."""
    tally, first, start = Tally(), 0, time.monotonic()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as made:
        folder = Path(made)
        while first < count and len(tally.found) < _DEATHS:
            for told in _told(name, first, count - first, seed, folder):
                bar.update(tally.add(told))
                if "died" in told:
                    first = struct.unpack("<q", (folder / "number").read_bytes())[0] + 1
                    tally.found.append({"number": first - 1, "kind": "died", "error": told["died"]})
            if "died" not in told:
                first = count
    tally.inputs, tally.seconds = first, round(time.monotonic() - start, 1)
    return tally


def _told(name: str, first: int, count: int, seed: int, folder: Path) -> Iterator[dict[str, Any]]:
    """What a process tells, and in the end how it died, if it did."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        work(name, first, count, seed, folder, writing)
    os.close(writing)
    with os.fdopen(reading) as lines:
        while select.select([lines], [], [], PATIENCE)[0]:
            line = lines.readline()
            if not line:
                break
            yield json.loads(line)
        else:
            os.kill(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if status:
        yield {"died": f"ended with {status}"}


def _keep(name: str, seed: int, tally: Tally, output: Path) -> None:
    """Write the damaged file of everything that must not be, to be put into the corpus."""
    if not tally.found:
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Source(name, seed, Path(folder))
        for entry in tally.found:
            files, damaged = source.files(entry["number"])
            path = output / name / f"{entry['kind']}-{entry['number']}" / damaged
            with whole_file(path) as partial:
                partial.write_bytes(files[damaged])


def _write(tallies: dict[str, Tally], path: Path) -> None:
    content = {
        "inputs": sum(own.inputs for own in tallies.values()),
        "bad": sum(len(own.found) for own in tallies.values()),
        "slowest_seconds": max(own.slowest for own in tallies.values()),
        "peak_bytes": max(own.peak for own in tallies.values()),
        "parsers": {name: vars(own) for name, own in tallies.items()},
    }
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
