"""Embeddings of ``lrfr predict`` on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from lrfr_lightning.utils.distributed import gather_objects
from lrfr_lightning.utils.paths import whole_file


class EmbeddingWriter(pl.Callback):
    """Writes what ``predict`` computed: arrays ``embedding``, ``label`` and ``index``.

    Args:
        path: the ``.npz`` file, float32 ``(N, D)`` and twice int64 ``(N,)``, in index order.
    """

    def __init__(self, path: str = "embeddings.npz") -> None:
        self.path = Path(path if path.endswith(".npz") else f"{path}.npz")
        self._parts: list[dict[str, np.ndarray[Any, Any]]] = []

    def on_predict_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the batch's embeddings on the CPU."""
        part = {
            name: value.detach().float().cpu().numpy()
            if value.is_floating_point()
            else value.cpu().numpy()
            for name, value in outputs.items()
            if isinstance(value, torch.Tensor)
        }
        self._parts.append(part)

    def on_predict_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Gather the ranks, drop images that padding repeated, write."""
        parts: Sequence[dict[str, np.ndarray[Any, Any]]] = [
            part for rank in gather_objects(self._parts) for part in rank
        ]
        self._parts = []
        if trainer.is_global_zero and parts:
            self._write(parts)
        trainer.strategy.barrier()  # nobody goes on before the file is whole

    def _write(self, parts: Sequence[dict[str, np.ndarray[Any, Any]]]) -> None:
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        _, first = np.unique(joined["index"], return_index=True)
        columns: dict[str, Any] = {name: value[first] for name, value in joined.items()}
        with whole_file(self.path) as partial, open(partial, "wb") as file:
            np.savez(file, **columns)
