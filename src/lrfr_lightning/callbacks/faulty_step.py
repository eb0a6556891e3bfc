"""What is known of an optimiser step that was not finite, as a JSON file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.paths import existing, whole_file

Number = float | str
"""Text where it is no finite number: ``nan``, ``inf`` or ``-inf``."""


@dataclass(frozen=True)
class FaultyBatch:
    """A batch of the step, of one rank.

    Attributes:
        index: position in the data set of each image shown, B numbers.
        label: identity of each.
        resolution: side before upscaling of each, px.
        loss: of the batch.
        embedding_norm: of each embedding, with pairs of views 2 B numbers; empty for a task that
            makes none.
    """

    index: list[int]
    label: list[int]
    resolution: list[int]
    loss: Number
    embedding_norm: list[Number]


@dataclass(frozen=True)
class FaultyStep:
    """What a rank knows of the step, and what makes its batches again.

    Attributes:
        step: optimiser steps of the run before it.
        epoch: in which it was.
        first_batch: batches of the run before its first one.
        rank: whose batches these are.
        world: number of ranks.
        seed: of the run.
        data_seed: of augmentation and degradation; None without a ``FaceDataModule``.
        precision: the trainer's.
        learning_rate: of each parameter group.
        loss_scale: of fp16; None in other precisions.
        gradient_norm: of this rank's gradients together, before clipping.
        batches: those accumulated in the step.
    """

    step: int
    epoch: int
    first_batch: int
    rank: int
    world: int
    seed: int
    data_seed: int | None
    precision: str
    learning_rate: list[float]
    loss_scale: float | None
    gradient_norm: Number
    batches: list[FaultyBatch]

    def write(self, path: Path) -> None:
        """As a JSON object with the attributes' names."""
        with whole_file(path) as partial:
            partial.write_text(json.dumps(asdict(self), allow_nan=False) + "\n")


def number(value: float) -> Number:
    """A number as JSON can hold it.

    >>> number(0.5), number(float("-inf"))
    (0.5, '-inf')
    """
    return value if abs(value) < float("inf") else str(value)


def numbers(values: Tensor) -> list[Number]:
    """The same of a tensor ``(N,)``."""
    return [number(value) for value in values.tolist()]


def read_step(path: str | Path) -> FaultyStep:
    """Read what :meth:`FaultyStep.write` wrote; keys it does not know are ignored.

    Raises:
        DataError: no such file, or it holds something else.
    """
    file = existing(path, "record of a step")
    try:
        content = json.loads(file.read_text())
        batches = [FaultyBatch(**_known(FaultyBatch, entry)) for entry in content["batches"]]
        step = FaultyStep(**_known(FaultyStep, content) | {"batches": batches})
        _check(step)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{file}: expected the record of a step, as NonFiniteGuard writes it, got something "
            f"else ({type(error).__name__}: {error})"
        ) from None
    return step


def _known(cls: Any, content: dict[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in cls.__dataclass_fields__}


def _check(step: FaultyStep) -> None:
    whole = [step.step, step.epoch, step.first_batch, step.rank, step.world, step.seed]
    for batch in step.batches:
        whole += [*batch.index, *batch.label, *batch.resolution]
        if not len(batch.index) == len(batch.label) == len(batch.resolution) > 0:
            raise ValueError("index, label and resolution differ in length or are empty")
    if not step.batches or not all(type(value) is int and value >= 0 for value in whole):
        raise ValueError("no batches, or a position that is no whole number")
