"""Protocols at validation and test time."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml
from pytorch_lightning.cli import SaveConfigCallback
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.trainer.states import TrainerFn

from lrfr_lightning.embedders.base import ModuleEmbedder
from lrfr_lightning.embedders.extraction import evaluate
from lrfr_lightning.protocols.base import Protocol
from lrfr_lightning.protocols.result import ProtocolResult, resolution_name, write_results
from lrfr_lightning.utils.errors import ConfigError


class ProtocolEvaluation(pl.Callback):
    """Measures the model on protocols whenever Lightning validates or tests.

    Each metric is logged to every logger as ``val/<protocol>@<px>/<metric>`` (``test/...``), for
    example ``val/lfw@14/accuracy``, with a control ``val/lfw+grey@14/accuracy`` and of a matrix
    ``val/lfw@14-112/accuracy``, which checkpointing and early stopping can monitor. All of it is
    written to ``results.json`` in the run's folder; Weights & Biases gets tables, curves and
    pictures, see :func:`~lrfr_lightning.callbacks.dashboard.log_results`. The network runs in
    float32; ranks share the images, none twice.

    Args:
        protocols: what to measure.
        name: the model's name in results.
        batch_size: images that go through the network at once.
        num_workers: processes that read and degrade images.
        subset: share of each protocol that is measured while training, above 0, below 1, under
            the protocol's name and the share, ``val/survface~0.1@native/accuracy``; the whole is
            measured once, when training ends. 1: always the whole.
        every_n_epochs: measure after every n-th epoch only, and when training ends.
        intervals: bootstrap replicates behind the 95 % intervals in ``results.json``; 0: none.
        examples: how many of the hardest comparisons of each kind are kept as pictures; 0: none,
            and no image is read a second time.

    Raises:
        ConfigError: the share or the number of epochs lies outside its range.
    """

    def __init__(
        self,
        protocols: Sequence[Protocol],
        name: str = "model",
        batch_size: int = 64,
        num_workers: int = 0,
        subset: float = 1.0,
        every_n_epochs: int = 1,
        intervals: int = 1000,
        examples: int = 4,
    ) -> None:
        if every_n_epochs < 1:
            raise ConfigError(f"every_n_epochs: expected 1 or more, got {every_n_epochs}")
        self.protocols = list(protocols)
        for protocol in self.protocols:
            protocol.intervals, protocol.examples = intervals, examples
        self.parts = [p.subset(subset) for p in protocols] if subset != 1 else self.protocols
        self.every_n_epochs = every_n_epochs
        self.whole_at = -1
        self.name = name
        self.batch_size = batch_size
        self.num_workers = num_workers

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Refuse a task that trains no recogniser, before it begins.

        Raises:
            ConfigError: the task has no backbone.
        """
        if not hasattr(pl_module, "backbone"):
            raise ConfigError(
                f"ProtocolEvaluation measures a recogniser in training, got "
                f"{type(pl_module).__name__}, which trains none; leave the callback out and "
                "measure the checkpoint with lrfr evaluate"
            )

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Evaluate, but not in Lightning's sanity check; while training, what is due."""
        if trainer.sanity_checking:
            return
        if trainer.state.fn != TrainerFn.FITTING:
            self._evaluate(trainer, pl_module, "val")
        elif (trainer.current_epoch + 1) % self.every_n_epochs == 0:
            self._evaluate(trainer, pl_module, "val", self.parts)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Evaluate the whole, where validation did so on parts or not in every epoch.

        Lightning logs nothing any more by then; the loggers themselves get the metrics.
        """
        sparing = self.parts is not self.protocols or self.every_n_epochs > 1
        if sparing and self.whole_at != trainer.global_step:
            results = self._measure(pl_module, self.protocols)
            for logger in trainer.loggers:
                logger.log_metrics(metrics(results, "val"), trainer.global_step)
            self._write(trainer, results, "val")

    def on_test_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Evaluate."""
        self._evaluate(trainer, pl_module, "test")

    def _evaluate(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        stage: str,
        protocols: Sequence[Protocol] | None = None,
    ) -> None:
        chosen = self.protocols if protocols is None else protocols
        results = self._measure(pl_module, chosen)
        if chosen is self.protocols:
            self.whole_at = trainer.global_step
        # equal on all ranks; the mean over ranks only quiets Lightning
        pl_module.log_dict(metrics(results, stage), sync_dist=True)
        self._write(trainer, results, stage)

    def _measure(
        self, pl_module: pl.LightningModule, protocols: Sequence[Protocol]
    ) -> list[ProtocolResult]:
        embedder = ModuleEmbedder(pl_module.backbone, self.name)  # type: ignore[arg-type]
        return [
            result
            for protocol in protocols
            for result in evaluate(embedder, protocol, self.batch_size, self.num_workers)
        ]

    def _write(self, trainer: pl.Trainer, results: Sequence[ProtocolResult], stage: str) -> None:
        folder = Path(trainer.log_dir or trainer.default_root_dir)
        if trainer.is_global_zero:
            config = _config(trainer)
            seed = config.get("seed_everything") or 0
            write_results(folder / "results.json", results, config, seed=seed)
            _show(trainer, results, stage)


def _show(trainer: pl.Trainer, results: Sequence[ProtocolResult], stage: str) -> None:
    """Fill the dashboard, if there is one; W&B and Matplotlib take over a second to import."""
    if any(isinstance(logger, WandbLogger) for logger in trainer.loggers):
        from lrfr_lightning.callbacks.dashboard import log_results

        log_results(trainer, results, stage)


def _config(trainer: pl.Trainer) -> dict[str, Any]:
    """The options of ``lrfr fit``, as its ``config.yaml`` has them; nothing for a bare trainer."""
    callbacks: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]
    saved = [entry for entry in callbacks if isinstance(entry, SaveConfigCallback)]
    if not saved:
        return {}
    written: dict[str, Any] = yaml.safe_load(saved[0].parser.dump(saved[0].config, skip_none=False))
    return written


def metrics(results: Sequence[ProtocolResult], stage: str) -> dict[str, float]:
    """Every measured metric under its logged name."""
    return {
        f"{logged_under(result, stage)}{metric}": value
        for result in results
        for metric, value in result.metrics.items()
        if value is not None and value == value
    }


def logged_under(result: ProtocolResult, stage: str) -> str:
    """``val/lfw@14/``: what stands before the names of its metrics."""
    return f"{stage}/{condition(result)}@{_shown(result)}/"


def _shown(result: ProtocolResult) -> str:
    """``14``, and with a matrix ``14-112``: the resolutions of probe and gallery."""
    sides = [result.resolution]
    if result.degraded == "matrix":
        sides.append(result.gallery_resolution)
    return "-".join(resolution_name(side) for side in sides)


def condition(result: ProtocolResult) -> str:
    """``lfw-devtest``, and with a control ``lfw-devtest+grey-inner``."""
    control = "" if result.control == "none" else f"+{result.control}"
    return f"{result.protocol}{control}"
