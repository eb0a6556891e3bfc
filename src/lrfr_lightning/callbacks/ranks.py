"""A rank that dies takes the others with it, and is named."""

import os
import signal
import sys
import threading
import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.utilities import rank_zero_warn

_MAIN = "LRFR_MAIN_PROCESS"
_SECONDS = 2.0


class RankWatch(pl.Callback):
    """Says which rank died, and ends the ranks that outlive the process that started them.

    Lightning's launcher ends the first process when another one fails, within five seconds. The
    opposite it leaves to the communication: gloo notices a lost peer at once, NCCL waits for its
    timeout of many minutes. torchrun and SLURM's ``srun`` end all ranks of a run themselves.

    ``lrfr fit`` has this callback by itself; a ``Trainer`` of your own takes it like any other.
    """

    def __init__(self) -> None:
        self._launched = os.environ.get(_MAIN) == str(os.getppid())
        os.environ[_MAIN] = str(os.getpid())

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Watch the process that started this one, if that was Lightning's launcher."""
        if self._launched and trainer.local_rank > 0:
            arguments = (os.getppid(), trainer.global_rank)
            threading.Thread(target=_end_with, args=arguments, daemon=True).start()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Name the ranks that died before: what this one met is a lost connection."""
        if isinstance(exception, SystemExit | KeyboardInterrupt):
            return
        ranks: list[Any] = getattr(trainer.strategy.launcher, "procs", [])
        deadline = time.monotonic() + _SECONDS
        while ranks and time.monotonic() < deadline and not any(p.poll() for p in ranks):
            time.sleep(0.1)
        for number, process in enumerate(ranks, trainer.global_rank + 1):
            if process.poll():
                rank_zero_warn(f"rank {number} {_fate(process.returncode)}; all ranks end")


def _fate(code: int) -> str:
    """What a return code says.

    >>> _fate(-9)
    'was killed by SIGKILL (by hand, or for want of memory)'
    """
    if code >= 0:
        return f"failed with exit code {code}, its error stands above"
    name = signal.Signals(-code).name
    return f"was killed by {name}" + (" (by hand, or for want of memory)" if code == -9 else "")


def _end_with(parent: int, rank: int) -> None:
    """End this process, wherever it waits, once its parent is gone."""
    while os.getppid() == parent:
        time.sleep(_SECONDS)
    print(f"rank {rank}: the first process of the run died, this one ends", file=sys.stderr)
    os._exit(1)
