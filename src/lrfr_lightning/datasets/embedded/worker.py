"""Renders part of a cache in a process of its own: ``python -m`` and JSON on its standard input."""

import json
import sys
from pathlib import Path

import cv2

from lrfr_lightning.datasets.embedded.cache import render_range
from lrfr_lightning.datasets.embedded.population import Population

_REPORT_EVERY = 50


def main(work: str) -> None:
    """Do the work ``[population, file, start, stop]``; prints how many images were added."""
    population, partial, start, stop = json.loads(work)
    cv2.setNumThreads(1)
    reported = start
    for index in render_range(Population(**population), Path(partial), start, stop):
        if index + 1 == stop or index + 1 - reported == _REPORT_EVERY:
            print(index + 1 - reported, flush=True)
            reported = index + 1


if __name__ == "__main__":
    main(sys.stdin.read())
