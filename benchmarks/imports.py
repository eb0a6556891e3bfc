"""What importing the library and asking ``lrfr`` for help costs, in processes of their own."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial

from benchmarks.clock import medians
from benchmarks.row import Row

LIBRARY_SECONDS, HELP_SECONDS = 0.3, 1.0


def measure(quick: bool) -> list[Row]:
    """``import lrfr_lightning`` beside ``import torch`` alone; ``lrfr --help``."""
    sources = {
        "torch": "import torch",
        "both": "import torch, lrfr_lightning",
        "help": "from lrfr_lightning.cli.main import main; main(['--help'])",
    }
    seconds = medians(
        {name: _starter(source) for name, source in sources.items()}, 1 if quick else 7
    )
    added = seconds["both"] - seconds["torch"]
    return [
        Row(
            name="import lrfr_lightning, added to import torch",
            sense="seconds",
            seconds=added,
            limit="import torch alone",
            ratio_to_limit=seconds["both"] / seconds["torch"],
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


def _starter(source: str) -> Callable[[], object]:
    command = [sys.executable, "-c", source]
    return partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
