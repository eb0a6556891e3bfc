"""A recorded optimiser step, made once more."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim import Optimizer

from lrfr_lightning.callbacks.faulty_step import FaultyStep
from lrfr_lightning.cli.training import FaceCLI
from lrfr_lightning.datamodules.batch import Batch
from lrfr_lightning.datamodules.replayed import ReplayedFaces
from lrfr_lightning.tasks.base import Task
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.rebuild import read_checkpoint


@dataclass
class Replay(pl.Callback):
    """What the step does this time.

    Attributes:
        loss: of each batch.
        embedding_norm: of each embedding of each batch.
        gradient_norm: of each parameter, by its name, before clipping.
        parameter_norm: of each parameter, by its name.
        first_bad: name of the first module of the forward pass whose output is not finite.
        batches: as the network got them.
    """

    loss: list[float] = field(default_factory=list)
    embedding_norm: list[list[float]] = field(default_factory=list)
    gradient_norm: dict[str, float] = field(default_factory=dict)
    parameter_norm: dict[str, float] = field(default_factory=dict)
    first_bad: str | None = None
    batches: list[Batch] = field(default_factory=list)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Watch the output of every module."""
        for name, module in pl_module.named_modules():
            module.register_forward_hook(lambda _, __, out, name=name: self._look(name, out))

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keep the batch."""
        self.batches.append(batch)

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Measure weights and gradients."""
        for name, parameter in pl_module.named_parameters():
            if parameter.grad is not None:
                self.gradient_norm[name] = parameter.grad.float().norm().item()
                self.parameter_norm[name] = parameter.detach().float().norm().item()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Keep the loss and the norms of the embeddings."""
        self.loss.append(outputs["loss"].item() * trainer.accumulate_grad_batches)
        if "embedding" in outputs:
            norm = torch.linalg.vector_norm(outputs["embedding"].float(), dim=1)
            self.embedding_norm.append(norm.tolist())

    def _look(self, name: str, output: Any) -> None:
        if self.first_bad is None and isinstance(output, Tensor) and not output.isfinite().all():
            self.first_bad = name or "the task"


class ReplayCLI(FaceCLI):
    """``lrfr fit`` of a recorded step's batches alone, on one device, without callbacks.

    Args:
        record: the step.
        config: the YAML of its run.
        checkpoint: whose weights are taken, or None: those that the YAML begins with.

    Attributes:
        replay: what the step did.

    Raises:
        ConfigError: the YAML has another seed of the data than the run had.
        DataError: it has other images, or one cannot be read any more.
    """

    def __init__(self, record: FaultyStep, config: Path, checkpoint: Path | None) -> None:
        self.record = record
        self.checkpoint = checkpoint
        self.replay = Replay()
        super().__init__(
            ["fit", "--config", str(config)],
            model_class=Task,
            datamodule_class=ReplayedFaces,
            subclass_mode_model=True,
            save_config_callback=None,
            seed_everything_default=0,
            parser_kwargs={"prog": "lrfr replay"},
        )

    def before_instantiate_classes(self) -> None:
        """Leave of the trainer what decides the arithmetic."""
        data, trainer = (self.config["fit"][key] for key in ("data", "trainer"))
        if data["seed"] != self.record.data_seed:
            raise ConfigError(
                f"data.seed: expected {self.record.data_seed} as in the recorded run, got "
                f"{data['seed']}; give the YAML of the same run"
            )
        torch.manual_seed(self.record.seed)
        count = len(self.record.batches)
        told: dict[str, Any] = {
            "devices": 1, "num_nodes": 1, "strategy": "auto", "precision": self.record.precision,
            "accumulate_grad_batches": count, "limit_train_batches": count, "overfit_batches": 0.0,
            "max_epochs": 1, "max_steps": 1, "max_time": None, "limit_val_batches": 0,
            "logger": False, "callbacks": None, "profiler": None, "fast_dev_run": False,
            "enable_checkpointing": False, "enable_progress_bar": False,
            "enable_model_summary": False,
        }  # fmt: skip
        for name, value in told.items():
            trainer[name] = value

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """With the one callback that measures."""
        return pl.Trainer(**{**self.config_init["fit"]["trainer"], "callbacks": [self.replay]})

    def fit(self, model: Any, **_: Any) -> None:
        """The step, in place of the whole run."""
        record, datamodule = self.record, self.datamodule
        datamodule.batches = [
            datamodule.again(record.epoch, batch.index, batch.label, batch.resolution)
            for batch in record.batches
        ]
        if self.checkpoint is not None:
            checkpoint = read_checkpoint(self.checkpoint)
            model.on_load_checkpoint(checkpoint)
            model.load_state_dict(checkpoint["state_dict"])
        # what dropout draws follows from it
        self.trainer.fit_loop.epoch_loop.batch_progress.total.ready = record.first_batch
        self.trainer.fit(model, datamodule=datamodule)
