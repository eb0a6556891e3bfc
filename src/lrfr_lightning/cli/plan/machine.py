"""Checks of what the machine has: devices, precision, folders, disk."""

import os
import shutil
import tempfile
from pathlib import Path

import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from lrfr_lightning.cli.plan.finding import Found, Run
from lrfr_lightning.cli.plan.rate import optimizer_of
from lrfr_lightning.tasks.recognition import RecognitionTask
from lrfr_lightning.utils.errors import ConfigError

_GB = 1e9


def native_bf16(cuda: bool) -> bool:
    """Whether the GPU, or the CPU, computes in bf16 rather than emulating it."""
    if cuda:
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def devices(run: Run) -> Found:
    """Processes and what they run on; that devices exist, Lightning knows."""
    kind, cores = _kind(run), os.cpu_count() or 1
    where = f"{run.ranks} x {kind}"
    if kind == "cpu" and run.trainer.num_devices > cores:
        yield "doubt", f"{where}: {run.trainer.num_devices} processes share {cores} cores"
    else:
        yield "ok", f"{where}, {cores} cores"


def precision(run: Run) -> Found:
    """Whether the device computes in the precision that was asked for."""
    asked, taken, kind = run.precision, str(run.trainer.precision), _kind(run)
    if taken.startswith("bf16") and not asked.startswith("bf16"):
        yield "doubt", f"{asked} is not for {kind}: the run computes in {taken}"
    elif taken.startswith("bf16") and kind in ("cpu", "cuda") and not native_bf16(kind == "cuda"):
        yield "doubt", f"{taken} is emulated by this {kind}: 32-true is faster"
    else:
        yield "ok", f"{taken} on {kind}"


def output(run: Run) -> Found:
    """Whether files can be written where the run writes.

    Raises:
        ConfigError: they cannot.
    """
    named = [Path(run.trainer.default_root_dir), *(_folder(c, run) for c in _checkpoints(run))]
    folders = dict.fromkeys(folder.absolute() for folder in named)
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=_nearest(folder)):
                pass
        except OSError as error:
            raise ConfigError(
                f"expected a folder to write to at {folder}, got: {error.strerror}; choose another "
                "(trainer.default_root_dir, and dirpath of ModelCheckpoint)"
            ) from None
    yield "ok", ", ".join(map(str, folders))


def disk(run: Run) -> Found:
    """Whether the checkpoints fit on the disk.

    While one is written, the one before it is still there.

    Raises:
        ConfigError: they do not.
    """
    needed: dict[Path, int] = {}
    for callback in _checkpoints(run):
        folder = _nearest(_folder(callback, run))
        size = checkpoint_bytes(run, callback.save_weights_only)
        needed[folder] = needed.get(folder, 0) + size * (1 + _kept(callback, run))
    for folder, size in needed.items():
        free = shutil.disk_usage(folder).free
        if size > free:
            raise ConfigError(
                f"checkpoints take about {size / _GB:.3g} GB below {folder}, {free / _GB:.3g} GB "
                "are free; make room, choose another disk (dirpath) or keep fewer (save_top_k)"
            )
        yield "ok", f"checkpoints take about {size / _GB:.2g} GB, {free / _GB:,.0f} GB are free"


def checkpoint_bytes(run: Run, weights_only: bool) -> int:
    """About the size of a checkpoint: weights, and what the optimiser keeps for each of them."""
    count = sum(p.numel() for p in run.model.parameters())
    trained = sum(p.numel() for p in run.model.parameters() if p.requires_grad)
    if isinstance(run.model, RecognitionTask) and not len(run.model.head.classifier.weight):
        shared_out = run.model.num_classes * run.model.backbone.embedding_dim
        count, trained = count + shared_out, trained + shared_out
    state = 0 if weights_only else _moments(run)
    return 4 * (count + state * trained)


def _moments(run: Run) -> int:
    """Numbers that the optimiser keeps for each weight; two where that is not known."""
    settings = optimizer_of(run.model).defaults
    if "betas" not in settings and "momentum" in settings:
        return int(settings["momentum"] > 0)
    return 2 + bool(settings.get("amsgrad"))


def _kept(callback: ModelCheckpoint, run: Run) -> int:
    """Checkpoints that stay."""
    last = int(callback.save_last is True)
    if callback.save_top_k != -1:
        return callback.save_top_k + last
    by_step, steps = callback._every_n_train_steps, run.steps or 0
    if by_step:
        return steps // by_step + last
    return (run.epochs or 0) // max(1, callback._every_n_epochs) + last


def _kind(run: Run) -> str:
    return type(run.trainer.accelerator).__name__.removesuffix("Accelerator").lower()


def _checkpoints(run: Run) -> list[ModelCheckpoint]:
    return [entry for entry in run.callbacks if isinstance(entry, ModelCheckpoint)]


def _folder(callback: ModelCheckpoint, run: Run) -> Path:
    return Path(callback.dirpath or run.trainer.default_root_dir)


def _nearest(folder: Path) -> Path:
    """The folder, or what of the path to it is there."""
    return next(part for part in (folder, *folder.absolute().parents) if part.exists())
