"""Checks of the weights that a run starts from: by names and shapes, no value is read."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lrfr_lightning.backbones.weights import PUBLISHED, check_weights, misfits
from lrfr_lightning.cli.plan.finding import Found, Run
from lrfr_lightning.tasks.base import Task
from lrfr_lightning.tasks.recognition import RecognitionTask
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.rebuild import read_checkpoint

_BY_LIGHTNING = ("last", "best", "hpc", "registry")
_CLASSIFIER = "head.classifier.weight"


def weights(run: Run) -> Found:
    """Every weight file that the task reads.

    Raises:
        DataError: one is missing, damaged or of another network.
    """
    for name, (network, path) in run.model.weight_files().items():
        if path == PUBLISHED:
            yield "unknown", f"{name}: timm downloads it when training begins"
        elif run.checkpoint and name == "pretrained":
            yield "ok", f"{name}: not read, the weights are the checkpoint's"
        else:
            check_weights(network, path)
            yield "ok", f"{name}: {path} fits {type(network).__name__}"


def checkpoint(run: Run) -> Found:
    """Whether the run can go on from ``--ckpt_path``, and where.

    Raises:
        ConfigError: it holds weights alone, or those of another model or class count.
        DataError: it is missing or no checkpoint.
    """
    path = run.checkpoint
    if not path:
        yield "ok", "none: the run begins anew"
    elif path.partition(":")[0] in _BY_LIGHTNING:
        yield "unknown", f"{path}: found when training begins"
    else:
        yield from _of_file(run, existing(path, "checkpoint"))


def _of_file(run: Run, file: Path) -> Found:
    content = read_checkpoint(file)
    if not isinstance(content.get("state_dict"), dict):
        raise DataError(f"{file}: expected a checkpoint of lrfr fit, got a file without one")
    _check_model(run.model, content["state_dict"], file)
    if "optimizer_states" not in content:
        raise ConfigError(
            f"{file} holds weights alone (save_weights_only), from which no run can go on; start a "
            "new one from them with model.init_args.pretrained"
        )
    yield from _place(run, content, file)


def _place(run: Run, content: dict[str, Any], file: Path) -> Found:
    step, epoch, total = content.get("global_step", 0), content.get("epoch", 0), run.steps
    where = f"{file}: goes on after {step:,} steps, in epoch {epoch}"
    if total is not None and step >= total:
        yield "doubt", f"{where}; the run ends after {total:,}: nothing is left to train"
    else:
        yield "ok", where


def _check_model(model: Task, given: dict[str, Any], file: Path) -> None:
    """By shape, as if no identities were shared out."""
    wanted = {name: value for name, value in model.state_dict().items() if _tensor(value)}
    if isinstance(model, RecognitionTask):
        rows = model.num_classes, model.backbone.embedding_dim
        wanted[_CLASSIFIER] = torch.empty(rows, device="meta")
        held = given.get(_CLASSIFIER)
        if isinstance(held, Tensor) and len(held) != model.num_classes:
            raise ConfigError(
                f"{file} was trained on {len(held):,} identities, the data has "
                f"{model.num_classes:,}; go on with the data it was trained on, or start a new run "
                "with model.init_args.pretrained"
            )
    found = misfits({name: value for name, value in given.items() if _tensor(value)}, wanted)
    if found:
        raise ConfigError(
            f"{file} does not fit {type(model).__name__}: {'; '.join(found)}; go on with the "
            "config.yaml of its run"
        )


def _tensor(value: Any) -> bool:
    return isinstance(value, Tensor)
