"""A guard against NaN and Inf in loss and gradients."""

from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_info, rank_zero_warn
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from lrfr_lightning.callbacks.faulty_step import FaultyBatch, FaultyStep, number, numbers
from lrfr_lightning.utils.distributed import sum_over_ranks
from lrfr_lightning.utils.errors import ConfigError

Policy = Literal["skip", "stop", "lower"]


class NonFiniteGuard(pl.Callback):
    """Leaves out an optimiser step whose loss or gradients are not finite, and writes it down.

    Weights, what the optimiser keeps of them and the running statistics stay as they were before
    the step; it counts as one, and the schedule goes on. ``nonfinite-step<n>-rank<r>.json`` in the
    run's folder holds what ``lrfr replay`` makes its batches again from, see
    :class:`~lrfr_lightning.callbacks.faulty_step.FaultyStep`. All ranks leave out the same steps.
    ``lrfr fit`` has the guard unless the trainer's callbacks hold one.

    In fp16 gradients that overflow under a finite loss are the loss scale's search for its value:
    the scaler leaves the step out and lowers the scale, here on all ranks alike, and it is only
    counted, as long as the scale is above 1.

    Args:
        policy: ``skip`` leaves the step out; ``stop`` ends the run; ``lower`` is ``skip`` that also
            halves the loss scale of fp16, which ``skip`` keeps: the same in other precisions.
        most_in_a_row: with more left out one after the other the run ends.

    Attributes:
        left_out: steps so far.
        overflows: steps that the scaler of fp16 left out so far.

    Raises:
        ConfigError: ``most_in_a_row`` is negative.
    """

    def __init__(self, policy: Policy = "skip", most_in_a_row: int = 10) -> None:
        if most_in_a_row < 0:
            raise ConfigError(f"most_in_a_row: expected 0 or more, got {most_in_a_row}")
        self.policy = policy
        self.most_in_a_row = most_in_a_row
        self.left_out = self.overflows = self._in_a_row = 0
        self._losses: list[Tensor] = []
        self._batches: list[tuple[Any, Any]] = []
        self._fault: dict[str, Any] | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Make room for the running statistics as they are before a step."""
        self._buffers = list(pl_module.buffers())
        self._before = [buffer.clone() for buffer in self._buffers]

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keep the running statistics, at the first batch of a step."""
        if batch_idx % trainer.accumulate_grad_batches == 0:
            self._losses, self._batches = [], []
            if self._buffers:
                torch._foreach_copy_(self._before, self._buffers)

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor
    ) -> None:
        """Remember the loss; nothing waits for the device."""
        self._losses.append(loss.detach())

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Look at loss and gradients, on all ranks; the one place that waits for the device."""
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        norm = get_total_norm([p.grad for p in parameters if p.grad is not None]).float()
        seen = torch.stack([torch.stack(self._losses).sum().float().to(norm), norm])
        bad_loss, bad_gradients = sum_over_ranks((~seen.isfinite()).float()).tolist()
        if not bad_loss and not bad_gradients:
            self._in_a_row = 0
            return
        scaler = getattr(trainer.precision_plugin, "scaler", None)
        if scaler is not None:
            # every rank's scaler has to leave the step out and lower its scale alike
            for found in scaler._found_inf_per_device(optimizer).values():
                found.fill_(1)
            if not bad_loss and scaler.get_scale() > 1:
                self.overflows += 1
                return
        for parameter in parameters:
            parameter.grad = None  # an optimiser passes over what has none
        if self._buffers:
            torch._foreach_copy_(self._buffers, self._before)
        self._fault = {
            "step": trainer.global_step,
            "epoch": trainer.current_epoch,
            "learning_rate": [float(group["lr"]) for group in optimizer.param_groups],
            "loss_scale": scaler.get_scale() if scaler else None,
            "gradient_norm": number(norm.item()),
        }

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Write down what was left out, and go on or stop.

        Raises:
            ConfigError: the policy says so, or there were too many in a row.
        """
        kept = {key: batch[key] for key in ("index", "label", "resolution")}
        self._batches.append((kept, outputs))
        if self._fault is None:
            return
        fault, self._fault = self._fault, None
        self.left_out += 1
        self._in_a_row += 1
        if self.policy == "skip" and fault["loss_scale"] is not None:
            trainer.precision_plugin.scaler.update(fault["loss_scale"])  # type: ignore[attr-defined]
        path = self._write(trainer, pl_module, fault)
        what = f"step {fault['step']}: loss or gradients are not finite, see {path}"
        if self.policy != "stop" and self._in_a_row <= self.most_in_a_row:
            rank_zero_warn(f"{what}; the step was left out")
            return
        raise ConfigError(
            f"{what}, and expected finite ones (policy {self.policy}, {self._in_a_row} in a row, "
            f"at most {self.most_in_a_row} allowed). lrfr replay {path} --config YAML shows the "
            "batch; a lower learning rate, warm-up or trainer.gradient_clip_val mostly help. The "
            "weights are as they were before the step, and so is the last checkpoint"
        )

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let go of the last batch, whose memory a worker shares; say what was left out, if any."""
        self._losses, self._batches = [], []
        if self.left_out:
            rank_zero_info(f"{self.left_out} steps were not finite and were left out")
        if self.overflows:
            rank_zero_info(f"the loss scale of fp16 was too high in {self.overflows} steps")

    def _write(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, fault: dict[str, Any]
    ) -> Path:
        """The record of this rank."""
        accumulated = trainer.accumulate_grad_batches
        record = FaultyStep(
            **fault,
            first_batch=trainer.fit_loop.total_batch_idx + 1 - len(self._batches),
            rank=trainer.global_rank,
            world=trainer.world_size,
            seed=getattr(pl_module, "_seed", torch.initial_seed()),
            data_seed=getattr(getattr(trainer, "datamodule", None), "seed", None),
            precision=str(trainer.precision),
            batches=[_described(batch, outputs, accumulated) for batch, outputs in self._batches],
        )
        folder = Path(trainer.log_dir or trainer.default_root_dir)
        path = folder / f"nonfinite-step{record.step}-rank{record.rank}.json"
        record.write(path)
        return path


def _described(batch: Any, outputs: Any, accumulated: int) -> FaultyBatch:
    norm = torch.zeros(0)
    if "embedding" in outputs:
        norm = torch.linalg.vector_norm(outputs["embedding"].float(), dim=1)
    return FaultyBatch(
        **{key: value.tolist() for key, value in batch.items()},
        # Lightning divides it
        loss=number(outputs["loss"].item() * accumulated),
        embedding_norm=numbers(norm),
    )
