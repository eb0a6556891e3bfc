"""Probes in shares, each looked for on a processor core of its own."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import takewhile
from threading import Event
from typing import Any, TypeVar

import torch
from torch import Tensor

from lrfr_lightning.functional.score_tiles import Tile, score_tiles

Part = TypeVar("Part")
Work = Callable[[slice, Iterator[Tile]], Part]

_ROWS, _LEAST_ROWS, _LEAST_SCORES = 4096, 128, 2**18


def over_shares(work: Work[Part], probes: Tensor, gallery: Tensor, block: int) -> list[Part]:
    """What ``work`` makes of each share of the probes, in order; float32 is not shortened.

    On a CPU every core takes the next share when it is done with one. Cores that divide each
    operation among them wait for the slowest at its end instead, which beside another program takes
    most of the time. Fewer than 256 probes, and those on other devices, are one share.

    Args:
        work: gets the share and the tiles of its scores, whose first row is 0; called in threads.
        probes: float32 or float64 ``(P, D)``.
        gallery: float32 or float64 ``(G, D)``, on the same device.
        block: scores held at once by all.
    """
    threads = min(torch.get_num_threads(), len(probes) // _LEAST_ROWS, block // _LEAST_SCORES)
    with _full_precision(probes.device):
        if threads < 2 or probes.device.type != "cpu":
            return [work(slice(0, len(probes)), score_tiles(probes, gallery, block))]
        # as many for each core, of equal size: nobody waits for the last
        rows = -(-len(probes) // (threads * -(-len(probes) // (threads * _ROWS))))
        shares = [slice(start, start + rows) for start in range(0, len(probes), rows)]
        tiles = [score_tiles(probes[share], gallery, block // threads) for share in shares]
        return _in_threads(work, shares, tiles, threads)


def _in_threads(
    work: Work[Part], shares: list[slice], tiles: list[Iterator[Tile]], threads: int
) -> list[Part]:
    before, stopped = torch.get_num_threads(), Event()
    going = (takewhile(lambda _: not stopped.is_set(), own) for own in tiles)
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                return list(pool.map(work, shares, going))
            except BaseException:
                # Ctrl-C and errors end all shares at their next tile
                stopped.set()
                raise
    finally:
        # what is set last in any thread holds for every thread that is new
        torch.set_num_threads(before)


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """Set aside whatever faster precision is allowed elsewhere; for all threads at once."""
    backend: Any = torch.backends.mkldnn if device.type == "cpu" else torch.backends.cuda
    settings: Any = getattr(backend, "matmul", None)
    if hasattr(settings, "fp32_precision"):
        allowed, settings.fp32_precision = settings.fp32_precision, "ieee"
        try:
            yield
        finally:
            settings.fp32_precision = allowed
        return
    # an older torch has one setting for all devices; in a newer one it would undo theirs
    allowed = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(allowed)
