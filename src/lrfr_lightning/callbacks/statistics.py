"""What the margin does to high- and low-resolution samples."""

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from lrfr_lightning.datamodules.batch import join_views, quality_of
from lrfr_lightning.heads.margin_head import MarginHead


class MarginStatistics(pl.Callback):
    """Logs embedding norm, target cosine and margin, for labelled HR and LR samples apart.

    ``train/norm_hr``, ``train/norm_lr``, ``train/cosine_*`` (with the own identity) and
    ``train/margin_*`` (how much the margin took off the target cosine), every
    ``log_every_n_steps`` of the trainer. A norm that falls or a cosine that stays low on one side
    shows which resolution the network gives up.
    """

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Log, where the task has a margin head."""
        head = getattr(pl_module, "head", None)
        if trainer.global_step % trainer.log_every_n_steps or not isinstance(head, MarginHead):  # type: ignore[attr-defined]
            return
        joined = join_views(batch)
        degraded = joined["resolution"] < joined["image"].shape[-1]
        labelled = joined["label"] >= 0
        quality = quality_of(joined, head.margin.quality_key)
        values = statistics(head, outputs["embedding"], joined["label"], quality)
        for name, value in values.items():
            for side, members in (("hr", ~degraded & labelled), ("lr", degraded & labelled)):
                if members.any():
                    pl_module.log(f"train/{name}_{side}", value[members].mean())


@torch.no_grad()
def statistics(
    head: MarginHead, embedding: Tensor, label: Tensor, quality: Tensor | None
) -> dict[str, Tensor]:
    """Norm, target cosine and what the margin takes off it, each ``(B,)`` float32.

    The margin is asked in eval mode, so that running statistics do not move.
    """
    embedding = embedding.float()
    norm = torch.linalg.vector_norm(embedding, dim=1)
    cosine = head.classifier.target_cosine(embedding, label.clamp(min=0))
    training = head.margin.training
    head.margin.eval()
    after = head.margin(cosine, norm, quality)
    head.margin.train(training)
    return {"norm": norm, "cosine": cosine, "margin": cosine - after}
