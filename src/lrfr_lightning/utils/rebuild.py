"""Parts of a training checkpoint, built again from the plain data that it holds of them.

The file is untrusted: it is read without running code, and only a subclass of what the caller
expects is built from it. :func:`~lrfr_lightning.utils.recipe.describe` wrote the data.
"""

from pathlib import Path
from typing import Any, TypeVar

import torch
from jsonargparse import ArgumentParser

from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.plain import check_size

T = TypeVar("T")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The plain data and tensors of a training checkpoint.

    Raises:
        DataError: not a checkpoint, or one that would need to run code.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DataError(
            f"{path}: expected a training checkpoint of plain data and tensors, "
            f"got a file that cannot be read as one ({reason})"
        ) from None
    return checkpoint if isinstance(checkpoint, dict) else {}


def rebuild(path: Path, checkpoint: dict[str, Any], kind: type[T], name: str) -> T | None:
    """The argument ``name`` of the task that a checkpoint describes, with fresh weights.

    Args:
        path: of the file, for errors.
        checkpoint: see :func:`read_checkpoint`.
        kind: the class that it has to be.
        name: of the argument.

    Returns:
        None where the checkpoint describes no such argument.

    Raises:
        DataError: what it describes cannot be built.
    """
    hparams = checkpoint.get("hyper_parameters")
    described = hparams.get(name) if isinstance(hparams, dict) else None
    if not isinstance(described, dict):
        return None
    try:
        check_size(described)
    except ValueError as error:
        raise DataError(f"{path}: cannot rebuild its {name}: {error}") from None
    return build(described, kind, name, path)


def build(described: str | dict[str, Any], kind: type[T], name: str, source: object) -> T:
    """An object from its class name, or from its ``class_path`` and ``init_args``.

    Args:
        described: as in YAML.
        kind: the class that it has to be.
        name: what it is, for the error.
        source: who says so, for the error.

    Raises:
        DataError: it cannot be built.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(kind, name)
    try:
        parsed = parser.parse_object({name: described})
        built: T = parser.instantiate_classes(parsed)[name]
    except Exception as error:
        raise DataError(f"{source}: cannot rebuild its {name} {described}: {error}") from error
    return built
