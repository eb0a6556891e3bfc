"""What importing the library and asking ``lrfr`` for help costs, in processes of their own."""

import subprocess
import sys
from statistics import median

from benchmarks.clock import medians
from benchmarks.row import Row

LIBRARY_SECONDS, HELP_SECONDS = 0.3, 1.0


def measure(quick: bool) -> list[Row]:
    """``import lrfr_lightning`` beside ``import torch`` alone; ``lrfr --help``."""
    repeats = 1 if quick else 7
    # in one process: the difference of two processes would be that of two noisy times of 2 s
    imports = [_imports() for _ in range(repeats)]
    torch_alone, added = (median(column) for column in zip(*imports, strict=True))
    command = "from lrfr_lightning.cli.main import main; main(['--help'])"
    seconds = medians({"help": lambda: _run(command)}, repeats)
    return [
        Row(
            name="import lrfr_lightning, added to import torch",
            sense="seconds",
            seconds=added,
            limit="import torch alone",
            ratio_to_limit=1 + added / torch_alone,
            target=f"at most {LIBRARY_SECONDS} s",
            met=added <= LIBRARY_SECONDS,
        ),
        Row(
            name="lrfr --help",
            sense="seconds",
            seconds=seconds["help"],
            target=f"under {HELP_SECONDS:.0f} s",
            met=seconds["help"] < HELP_SECONDS,
            note="the start of Python is part of it",
        ),
    ]


def _imports() -> tuple[float, float]:
    """Seconds of ``import torch``, then of ``import lrfr_lightning``."""
    clock = "from time import perf_counter as now; start = now(); "
    steps = "import torch; between = now(); import lrfr_lightning; "
    first, second = _run(clock + steps + "print(between - start, now() - between)").split()
    return float(first), float(second)


def _run(source: str) -> str:
    command = [sys.executable, "-c", source]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
