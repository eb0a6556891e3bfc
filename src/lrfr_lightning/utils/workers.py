"""What a process that reads images does on a signal."""

import signal
from typing import Any

_SECONDS = 300


def outlive_sigterm(_: int = 0) -> None:
    """Let this worker process live on for five minutes after a first SIGTERM; a second ends it.

    A cluster sends the signal to all processes of a job. The training process wants to end its step
    and save, and to lose a worker meanwhile would be an error in it. The argument is the worker's
    number, as ``worker_init_fn`` gives it.
    """
    signal.signal(signal.SIGTERM, _last_minutes)


def _last_minutes(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.alarm(_SECONDS)  # ends the process
