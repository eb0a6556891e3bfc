"""What a check looks at, and what it finds."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Literal

import pytorch_lightning as pl

from lrfr_lightning.datamodules.faces import FaceDataModule
from lrfr_lightning.tasks.base import Task

State = Literal["ok", "doubt", "fault", "unknown"]
"""``doubt``: the run goes on, and may not be what was meant; ``unknown``: nothing tells."""

Found = Iterator[tuple[State, str]]


@dataclass(frozen=True)
class Check:
    """One line of the page.

    Attributes:
        name: what was looked at.
        state: how it stands.
        text: what was found; of a fault also what to do.
    """

    name: str
    state: State
    text: str


@dataclass(frozen=True)
class Run:
    """A run that has not begun.

    Attributes:
        data: its data module.
        model: its task.
        trainer: its trainer.
        checkpoint: what ``--ckpt_path`` says.
        precision: what was asked of the trainer, which may take another one.
    """

    data: FaceDataModule
    model: Task
    trainer: pl.Trainer
    checkpoint: str | None = None
    precision: str = "32-true"

    @property
    def callbacks(self) -> list[pl.Callback]:
        """All of the trainer's."""
        return list(self.trainer.callbacks)  # type: ignore[attr-defined]

    @property
    def ranks(self) -> int:
        """Processes that train."""
        return self.trainer.num_nodes * self.trainer.num_devices

    @property
    def images_per_step(self) -> int:
        """Images in an optimiser step, over all ranks and accumulated."""
        return self.data.batch_size * self.ranks * self.trainer.accumulate_grad_batches

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps; 0 where ``limit_train_batches`` leaves none.

        Raises:
            ConfigError: too few identities have K images for a batch on each rank.
        """
        batches, limit = self.data.batches_per_epoch(self.ranks), self.trainer.limit_train_batches
        taken = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
        return ceil(taken / self.trainer.accumulate_grad_batches)

    @property
    def steps(self) -> int | None:
        """Optimiser steps of the whole run; None: it has no end."""
        epochs, steps = self.trainer.max_epochs, self.trainer.max_steps
        by_epochs = [] if epochs in (None, -1) else [epochs * self.steps_per_epoch]
        return min(by_epochs + ([] if steps == -1 else [steps]), default=None)

    @property
    def epochs(self) -> int | None:
        """Epochs that are begun; None: the run has no end."""
        if self.steps is None:
            return None
        return ceil(self.steps / max(1, self.steps_per_epoch))
