"""When memory is looked for that can be freed, and how the C library treats what was."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
_KEEP = 1 << 30  # bytes


def keep_freed_memory() -> None:
    """Let this process use freed blocks of up to 1 GB again, instead of asking the kernel anew.

    By default glibc returns a large block to the kernel when it is freed, and the next one of the
    same size, such as the next batch, comes as zeroed pages. The process then holds what it needed
    at most, as it would on a GPU. Does nothing where the C
    library is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_MMAP_THRESHOLD, _KEEP)
        mallopt(_TRIM_THRESHOLD, _KEEP)


@contextmanager
def no_collection() -> Iterator[None]:
    """Look for no garbage inside, as while modules are imported and options parsed.

    Both make many objects that stay; looking through them again and again takes about a tenth
    of the time until ``lrfr fit`` begins.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def share_with_forks() -> None:
    """Keep what exists now out of collections, so that processes forked next go on sharing it.

    A collection writes into all objects that it looks at, and the kernel copies a page that is
    written: a hundred MB for each process, whenever its turn comes. ``gc.unfreeze()`` takes it
    back.
    """
    gc.collect()  # what is garbage by now would stay
    gc.freeze()
