"""Times of several functions on a machine that others use too."""

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

REPEATS = 11

_REST = 0.05
"""Seconds before each turn, in which threads of the one before stop waiting for more work."""


def medians(
    functions: Mapping[str, Callable[[], Any]], repeats: int = REPEATS, warm_up: int = 1
) -> dict[str, float]:
    """Median seconds of each function.

    They take turns, so that a slow moment of the machine falls on all of them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(warm_up + repeats):
        for name, function in functions.items():
            time.sleep(_REST)
            start = time.perf_counter()
            function()
            if turn >= warm_up:
                seconds[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}
