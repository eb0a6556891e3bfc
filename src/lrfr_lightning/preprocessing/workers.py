"""Photographs side by side in worker processes."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Literal

import cv2

from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.preprocessing.aligner import Alignment, FaceAligner
from lrfr_lightning.preprocessing.photographs import read_photograph
from lrfr_lightning.preprocessing.record import Row, row_of
from lrfr_lightning.utils.errors import DataError

Form = Literal["jpeg", "png"]
"""How crops are kept: JPEG of quality 95, or PNG."""

SUFFIXES = {"jpeg": (".jpg", ".jpeg"), "png": (".png",)}

_AHEAD = 4


@dataclass(frozen=True)
class Work:
    """What is done to each photograph of a folder.

    Attributes:
        root: the folder.
        aligner: what aligns them.
        form: of the crops.
    """

    root: Path
    aligner: FaceAligner
    form: Form

    def crop_name(self, name: str) -> str:
        """Path of a photograph's crop: its own, with a suffix added unless it has the right one."""
        right = SUFFIXES[self.form]
        return name if name.lower().endswith(right) else name + right[0]

    def do(self, name: str) -> tuple[Row, bytes | None]:
        """The row of a photograph, and its crop encoded."""
        path = self.root / name
        try:
            alignment = self.aligner(read_photograph(path))
        except (DataError, cv2.error) as error:
            alignment = Alignment(None, "failed", str(error))
        if alignment.crop is None:
            return row_of(name, size_of(path), alignment, ""), None
        row = row_of(name, size_of(path), alignment, self.crop_name(name))
        return row, _encode(alignment, self.form)


def size_of(path: Path) -> int:
    """Length of a file, bytes; 0 if there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def run(work: Work, names: Iterable[str], workers: int) -> Iterator[tuple[Row, bytes | None]]:
    """Row and encoded crop of every photograph, in the order of the names.

    Args:
        work: what is done.
        names: of photographs, relative to the folder.
        workers: processes; 0 works in this one.

    Raises:
        DataError: a worker died.
    """
    if workers == 0:
        yield from map(work.do, names)
        return
    pool = ProcessPoolExecutor(workers, _context(), _begin, (work,))
    try:
        yield from _in_order(pool, names, _AHEAD * workers)
    except BrokenProcessPool:
        raise DataError(
            "a worker process died, perhaps for lack of memory: run it again with fewer workers; "
            "it goes on where it stopped"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _context() -> BaseContext:
    """Forks of a process that has imported everything and runs no thread, where that is had."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _in_order(
    pool: ProcessPoolExecutor, names: Iterable[str], ahead: int
) -> Iterator[tuple[Row, bytes | None]]:
    waiting: deque[Future[tuple[Row, bytes | None]]] = deque()
    for name in names:
        waiting.append(pool.submit(_do, name))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


_work: Work


def _begin(work: Work) -> None:
    global _work
    _work = work
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """A parent that was killed cannot tell its workers to stop."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _do(name: str) -> tuple[Row, bytes | None]:
    return _work.do(name)


def _encode(alignment: Alignment, form: Form) -> bytes:
    assert alignment.crop is not None
    if form == "jpeg":
        return encode_jpeg(alignment.crop)
    _, data = cv2.imencode(".png", cv2.cvtColor(alignment.crop, cv2.COLOR_RGB2BGR))
    return bytes(data)
