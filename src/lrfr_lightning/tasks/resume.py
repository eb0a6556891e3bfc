"""What makes a resumed run the same as one that was never interrupted.

The order of the images, their augmentation and degradation follow from seed, epoch and index alone;
weights, running statistics, optimiser and schedule are in the checkpoint. The rest is here.
"""

from typing import Any

import pytorch_lightning as pl
import torch


def seed_step(seed: int, rank: int, batch: int) -> None:
    """Let torch's draws in a step (dropout) depend on these three alone, not on what came before.

    Args:
        seed: of the run.
        rank: this process's number; ranks drop different units.
        batch: how many batches were trained before, over all epochs.
    """
    torch.manual_seed(hash((seed, rank, batch)))


def finish_epoch(checkpoint: dict[str, Any]) -> None:
    """Count the epoch at whose end a checkpoint was written as done.

    Lightning 2.6 writes it before it counts; a run with ``max_steps`` that is resumed from it would
    count the epoch twice, and go on with the images of the next but one.
    """
    loop = checkpoint.get("loops", {}).get("fit_loop")
    if loop is None:
        return
    total, current = (loop["epoch_progress"][key] for key in ("total", "current"))
    if total["started"] == total["processed"] == total["completed"] + 1:
        for counts in (total, current):
            counts["completed"] = counts["processed"]
        batches = loop["epoch_loop.batch_progress"]
        batches["current"] = dict.fromkeys(batches["current"], 0)
        batches["is_last_batch"] = False


def count_next_epoch(trainer: pl.Trainer) -> None:
    """Where all batches of an epoch were trained when a run was resumed, count the next as begun.

    Lightning 2.6 takes the run for one in mid-epoch and does not: a checkpoint in the midst of the
    next epoch would then be resumed at that epoch's beginning, and repeat its batches.
    """
    epochs: Any = trainer.fit_loop.epoch_progress.total
    if epochs.processed == epochs.started:
        trainer.fit_loop.reset_restart_stage()
