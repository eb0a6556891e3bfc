"""Learning-rate schedules that torch does not have."""

import math

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from lrfr_lightning.utils.errors import ConfigError


class WarmupCosine(LRScheduler):
    """Linear rise, then half a cosine down to ``final``; use with ``lr_interval: step``.

    Args:
        optimizer: whose learning rates are scaled.
        warmup: share of all steps in which the rate rises, 0..1.
        final: rate at the end, as a share of the highest.
        total_steps: optimiser steps of the run; None: the task fills in the trainer's.

    Raises:
        ConfigError: ``warmup`` is not in 0..1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup: float = 0.05,
        final: float = 0.01,
        total_steps: int | None = None,
    ) -> None:
        if not 0 <= warmup <= 1:
            raise ConfigError(f"warmup: expected a share of 0..1, got {warmup}")
        self.warmup, self.final = warmup, final
        self.total_steps = total_steps
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        """The learning rate of each parameter group at the current step."""
        return [base * self.factor(self.last_epoch) for base in self.base_lrs]

    def factor(self, step: int) -> float:
        """Learning rate of a step as a share of the highest; 1 until the total is known."""
        if self.total_steps is None:
            return 1.0
        rise = max(1, round(self.warmup * self.total_steps))
        if step < rise:
            return (step + 1) / rise
        progress = min(1.0, (step - rise) / max(1, self.total_steps - rise))
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2

    def set_total_steps(self, total_steps: int) -> None:
        """Fix the length of the run and apply the first step's rate."""
        self.total_steps = total_steps
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate
