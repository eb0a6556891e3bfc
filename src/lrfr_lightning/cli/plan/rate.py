"""Checks of learning rate and schedule, on an optimiser that makes no step."""

from torch.optim import Optimizer

from lrfr_lightning.cli.plan.finding import Found, Run
from lrfr_lightning.tasks.base import Task
from lrfr_lightning.tasks.schedules import WarmupCosine
from lrfr_lightning.tasks.speed import rate_factor
from lrfr_lightning.utils.errors import ConfigError


def learning_rate(run: Run) -> Found:
    """The rate against the images in a step, by the linear rule of ``lr_base_batch``.

    Raises:
        ConfigError: the optimiser cannot be made, or ``lr_base_batch`` is below 1.
    """
    optimizer, base, images = optimizer_of(run.model), run.model.lr_base_batch, run.images_per_step
    rate = optimizer.param_groups[0]["lr"]
    name = f"{type(optimizer).__name__}, {rate:g}"
    if base is not None:
        factor = rate_factor(base, images)
        yield (
            "ok",
            f"{name} x {factor:g} = {rate * factor:g}: {images:,} images in a step, {base:,}",
        )
    elif images != run.data.batch_size:
        yield (
            "doubt",
            f"{name} for {images:,} images in a step, {run.data.batch_size} on each rank and "
            "forward pass; without lr_base_batch the rate does not follow their number",
        )
    else:
        yield "ok", f"{name} for {images:,} images in a step"


def schedule(run: Run) -> Found:
    """Whether the schedule is as long as the run.

    Raises:
        ConfigError: it cannot be made.
    """
    make = run.model.lr_scheduler
    if make is None:
        yield "ok", "none: the learning rate stays"
        return
    made = make(optimizer_of(run.model))
    by_step = isinstance(made, WarmupCosine) or run.model.lr_interval == "step"
    unit, length = ("steps", run.steps) if by_step else ("epochs", run.epochs)
    planned = getattr(made, "total_steps", None) or getattr(made, "T_max", None)
    late = [stone for stone in getattr(made, "milestones", ()) if length and stone >= length]
    name = type(made).__name__
    if length and planned and planned != length:
        yield "doubt", f"{name} is made for {planned:,} {unit}, the run has {length:,}"
    elif late:
        yield "doubt", f"{name}: the run ends after {length:,} {unit}, before {min(late):,}"
    else:
        yield "ok", f"{name} counts {unit}" + (f", {length:,} in all" if length else "")


def optimizer_of(model: Task) -> Optimizer:
    """The task's optimiser, as it would be made.

    Raises:
        ConfigError: it refuses its arguments.
    """
    try:
        return model.optimizer(p for p in model.parameters() if p.requires_grad)
    except ValueError as error:
        raise ConfigError(f"the optimiser cannot be made: {error}") from error
