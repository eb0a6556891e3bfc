"""What every LightningModule here has: arguments in its checkpoint, optimiser, schedule, resume."""

from functools import partial
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.core.mixins import hparams_mixin
from torch import Tensor
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.datamodules.batch import Batch
from lrfr_lightning.tasks.reference import reference_embeddings
from lrfr_lightning.tasks.resume import count_next_epoch, finish_epoch, seed_step
from lrfr_lightning.tasks.schedules import WarmupCosine
from lrfr_lightning.tasks.speed import scale_learning_rate
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.recipe import Recorded, describe

DEFAULT_OPTIMIZER = partial(SGD, lr=0.1, momentum=0.9, weight_decay=1e-4)
"""The slides' optimiser."""


class Task(Recorded, pl.LightningModule):
    """Trains something; ``load_from_checkpoint(path)`` rebuilds it from the checkpoint alone.

    Args:
        optimizer: called with the parameters.
        lr_scheduler: called with the optimiser; None keeps the learning rate.
        lr_interval: whether the schedule counts epochs or steps; ``WarmupCosine`` always counts
            steps.
        lr_base_batch: images in an optimiser step for which the learning rate was chosen: the rate
            grows in proportion with the trainer's own, batch_size x ranks x accumulated batches,
            see :func:`~lrfr_lightning.tasks.speed.scale_learning_rate`; None leaves it as it is.
    """

    def __init__(
        self,
        optimizer: OptimizerCallable = DEFAULT_OPTIMIZER,
        lr_scheduler: LRSchedulerCallable | None = None,
        lr_interval: Literal["epoch", "step"] = "epoch",
        lr_base_batch: int | None = None,
    ) -> None:
        super().__init__()
        self._remember()
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.lr_interval = lr_interval
        self.lr_base_batch = lr_base_batch

    def _remember(self) -> None:
        """Keep the constructor's arguments as plain data, for the checkpoint."""
        if hparams_mixin._given_hyperparameters.get() is not None:
            self.save_hyperparameters(logger=False)  # the command line's own, plain already
            return
        arguments: dict[str, Any] = describe(self.init_arguments)
        self.save_hyperparameters(
            {"_instantiator": "pytorch_lightning.cli.instantiate_module", **arguments},
            logger=False,
        )

    def on_fit_start(self) -> None:
        """Note the seed of the run."""
        self._seed = torch.initial_seed()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Count the epoch at whose end it was written as done."""
        finish_epoch(checkpoint)

    def weight_files(self) -> dict[str, tuple[Backbone, str]]:
        """What a run reads when it begins: by argument, the network and the file of its weights.

        Subclasses with such arguments override it, so that a file that does not fit is found
        before any work.
        """
        return {}

    def embed_training_images(self, network: Backbone) -> tuple[Tensor, Tensor]:
        """What ``network`` makes of them, see :func:`reference_embeddings`.

        Raises:
            ConfigError: the run has no data module.
        """
        data = getattr(self.trainer, "datamodule", None)
        if data is None:
            raise ConfigError(
                f"{type(self).__name__} looks at all training images before it trains; it needs "
                "a data module such as FaceDataModule, not a bare loader"
            )
        context = self.trainer.precision_plugin.forward_context
        return reference_embeddings(network, data.predict_dataloader(), context)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed dropout, and free the last step's gradients before the forward pass.

        Lightning frees them after it: on a CPU their memory then goes back to the system in every
        step and comes anew, a tenth of the step's time and more.
        """
        if batch_idx % self.trainer.accumulate_grad_batches == 0:
            for optimizer in self.trainer.optimizers:
                optimizer.zero_grad()
        seed_step(self._seed, self.global_rank, self.trainer.fit_loop.total_batch_idx)

    def on_train_start(self) -> None:
        """Let a run that was resumed between two epochs count the next one."""
        count_next_epoch(self.trainer)

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Nothing: training and test share no person, callbacks run whole protocols instead."""

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """As :meth:`validation_step`."""

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule as given to the constructor."""
        optimizer: Optimizer = self.optimizer(p for p in self.parameters() if p.requires_grad)
        if self.lr_base_batch is not None:
            scale_learning_rate(optimizer, self.lr_base_batch, self._global_batch())
        if self.lr_scheduler is None:
            return optimizer
        schedule = self.lr_scheduler(optimizer)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": self._interval(schedule)},
        }

    def _global_batch(self) -> int:
        """Images in an optimiser step, over all ranks and accumulated.

        Raises:
            ConfigError: the run has no data module that knows its batch size.
        """
        batch_size = getattr(getattr(self.trainer, "datamodule", None), "batch_size", None)
        if batch_size is None:
            raise ConfigError(
                "lr_base_batch needs a data module with a batch_size, such as FaceDataModule, and "
                "got a bare loader; leave lr_base_batch out and set the learning rate itself"
            )
        return int(batch_size) * self.trainer.world_size * self.trainer.accumulate_grad_batches

    def _interval(self, schedule: LRScheduler | Any) -> str:
        if not isinstance(schedule, WarmupCosine):
            return self.lr_interval
        if schedule.total_steps is None:
            schedule.set_total_steps(int(self.trainer.estimated_stepping_batches))
        return "step"
