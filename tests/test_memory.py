"""Freed memory is used again rather than asked of the kernel."""

import subprocess
import sys

PROGRAM = """
import resource, sys
import numpy as np
from lrfr_lightning.utils.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
np.ones(5_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(5_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    run = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, check=True)
    return int(run.stdout)


def test_the_second_block_of_a_size_costs_no_page() -> None:
    assert faults("kept") < 100 < faults("given back")
