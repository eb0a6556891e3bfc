"""The backbone of a training checkpoint, without the task that trained it."""

import pickle
from pathlib import Path
from typing import Any

import torch
from jsonargparse import ArgumentParser

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.weights import load_weights
from lrfr_lightning.utils.errors import DataError


def load_backbone(path: Path) -> Backbone:
    """Rebuild the backbone a checkpoint describes and load its weights.

    The file is untrusted: it is read without running code, and only a subclass of
    :class:`Backbone` is built from it.

    Raises:
        DataError: not a checkpoint of this library, or one that would need to run code.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(
            f"{path}: expected a training checkpoint of plain data and tensors, "
            f"got a file that cannot be read as one ({str(error).splitlines()[0]})"
        ) from None
    described = _backbone_of(checkpoint)
    if described is None:
        raise DataError(
            f"{path} does not say which backbone it holds; a bare weight file is loaded with "
            "its network: --backbone NAME --weights FILE"
        )
    backbone = build_backbone(described, path)
    load_weights(backbone, str(path))
    return backbone


def _backbone_of(checkpoint: Any) -> dict[str, Any] | None:
    hparams = checkpoint.get("hyper_parameters") if isinstance(checkpoint, dict) else None
    described = hparams.get("backbone") if isinstance(hparams, dict) else None
    return described if isinstance(described, dict) else None


def build_backbone(described: str | dict[str, Any], source: object) -> Backbone:
    """A backbone from its class name or its ``class_path`` and ``init_args``.

    Raises:
        DataError: it cannot be built; the message names ``source``.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Backbone, "backbone")
    try:
        built: Backbone = parser.instantiate_classes(
            parser.parse_object({"backbone": described})
        ).backbone
    except Exception as error:
        raise DataError(f"{source}: cannot rebuild its backbone {described}: {error}") from error
    return built
