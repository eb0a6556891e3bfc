"""Rendered once, read many times: a memory-mapped file of all images."""

import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from lrfr_lightning.datasets.embedded.population import Population
from lrfr_lightning.datasets.embedded.render import RENDERER_VERSION, SIZE
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import expand, whole_file

_ALONE = 1000
"""Up to so many images one process is done before others have started."""


def cache_path(population: Population) -> Path:
    """Where the images of ``population`` lie: one file per population and renderer version."""
    text = json.dumps([RENDERER_VERSION, dataclasses.asdict(population)], sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder = expand(os.environ.get("LRFR_CACHE") or "~/.cache/lrfr_lightning")
    return folder / "embedded" / f"{population.split}-{len(population)}-{key}.npy"


def open_cache(path: Path) -> NDArray[np.uint8]:
    """Map the images: uint8 ``(N, 112, 112, 3)``, read-only.

    Raises:
        DataError: the file is gone.
    """
    if not path.exists():
        raise DataError(
            f"embedded faces: expected the rendered images at {path}, nothing is there; "
            "construct EmbeddedFaces again to render them"
        )
    return np.asarray(np.load(path, mmap_mode="r"))


def fill_cache(population: Population, path: Path) -> None:
    """Render every image into ``path``, unless it exists.

    The file appears at once and whole: it is written under another name and renamed. Processes
    that do so at the same time write the same bytes.
    """
    if path.exists():
        return
    with whole_file(path) as partial:
        _allocate(partial, len(population))
        _render_all(population, partial)


def render_range(population: Population, partial: Path, start: int, stop: int) -> Iterator[int]:
    """Render images ``start..stop-1`` into an allocated file; yields each finished index."""
    pixels = np.load(partial, mmap_mode="r+")
    for index in range(start, stop):
        pixels[index] = population.image(index)
        yield index
    pixels.flush()


def _allocate(partial: Path, images: int) -> None:
    np.lib.format.open_memmap(partial, "w+", np.uint8, (images, SIZE, SIZE, 3)).flush()


def _render_all(population: Population, partial: Path) -> None:
    images = len(population)
    with tqdm(total=images, desc="drawing embedded faces", disable=images <= _ALONE) as bar:
        if images > _ALONE:
            _render_in_parts(population, partial, os.cpu_count() or 1, bar)
            return
        for _ in render_range(population, partial, 0, images):
            bar.update()


def _render_in_parts(population: Population, partial: Path, workers: int, bar: "tqdm[Any]") -> None:
    bounds = np.linspace(0, len(population), workers + 1).astype(int).tolist()
    with ThreadPoolExecutor(workers) as pool:
        parts = [
            pool.submit(_render_apart, population, partial, start, stop, bar)
            for start, stop in itertools.pairwise(bounds)
        ]
        for part in parts:
            part.result()


def _render_apart(
    population: Population, partial: Path, start: int, stop: int, bar: "tqdm[Any]"
) -> None:
    # A fresh interpreter: no fork beside torch's threads, no second run of the user's script.
    work = json.dumps([dataclasses.asdict(population), str(partial), start, stop])
    command = [sys.executable, "-m", "lrfr_lightning.datasets.embedded.worker"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # its exit code tells
            worker.stdin.write(work)
            worker.stdin.close()
        for line in worker.stdout:
            bar.update(int(line))
    if worker.returncode:
        raise DataError(
            f"embedded faces: rendering images {start}..{stop - 1} ended with exit code "
            f"{worker.returncode}, expected 0; see its message above, or use cache=False"
        )
