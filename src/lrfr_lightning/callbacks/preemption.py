"""SIGTERM, by which clusters take a machine back: save, say where, and stop."""

import signal
import threading
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.utilities import rank_zero_info
from pytorch_lightning.utilities.exceptions import SIGTERMException

EXIT_CODE = 128 + signal.SIGTERM
"""143, what a shell reports of a process that SIGTERM ended."""


class SaveOnSigterm(pl.Callback):
    """Ends training after the optimiser step in which SIGTERM came, with a checkpoint of it.

    ``last.ckpt`` in the folder of the first ``ModelCheckpoint``, the one that
    ``lrfr fit ... --ckpt_path last`` goes on from; the exit code is 143. The signal may come to all
    ranks or to any of them. Before the first step, and without a ``ModelCheckpoint``, nothing is
    saved. While a protocol is being measured the signal waits for its end and the step after it.

    ``lrfr fit`` has this callback by itself; a ``Trainer`` of your own takes it like any other.
    """

    def __init__(self) -> None:
        self._asked = False
        self._step = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the signal over: Lightning's handler sends to the other ranks in mid-step."""
        self._asked = trainer.received_sigterm
        self._step = trainer.global_step
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._ask)  # the trainer puts the old one back

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Save and stop, if any rank was asked to; between the batches of a step never.

        Raises:
            SIGTERMException: a ``SystemExit``, with 143 on the first rank of each machine: the
                launcher takes any code but 0 of the others for a failure.
        """
        if trainer.global_step == self._step:
            return
        self._step = trainer.global_step
        if not trainer.strategy.reduce_boolean_decision(self._asked, all=False):
            return
        rank_zero_info(f"SIGTERM: stopped after step {self._step}, {_save(trainer)}")
        raise SIGTERMException(EXIT_CODE if trainer.local_rank == 0 else 0)

    def _ask(self, *_: Any) -> None:
        self._asked = True


def _save(trainer: pl.Trainer) -> str:
    """Write the checkpoint; returns what to say of it."""
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint):
            name = f"{callback.CHECKPOINT_NAME_LAST}{callback.FILE_EXTENSION}"
            path = Path(str(callback.dirpath)) / name
            trainer.save_checkpoint(path)
            return f"saved {path}; the same command with --ckpt_path last goes on from there"
    return "nothing is saved: no ModelCheckpoint says where"
