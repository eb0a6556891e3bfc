"""What a process that reads images does on a signal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SECONDS = 300


def outlive_sigterm(_: int = 0) -> None:
    """Let this worker process live on for five minutes after a first SIGTERM; a second ends it.

    A cluster sends the signal to all processes of a job. The training process wants to end its step
    and save, and to lose a worker meanwhile would be an error in it. The argument is the worker's
    number, as ``worker_init_fn`` gives it.
    """
    signal.signal(signal.SIGTERM, _last_minutes)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


@contextmanager
def sigterm_held_back() -> Iterator[None]:
    """Let SIGTERM wait while workers are started: it would end one that cannot outlive it yet.

    A worker takes over that the signal waits, until :func:`outlive_sigterm`.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _last_minutes(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.alarm(_SECONDS)  # ends the process
