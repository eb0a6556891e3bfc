"""Published or self-trained weights into a backbone, without ever running code from the file."""

import pickle
import re
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.timm_adapter import TimmBackbone
from lrfr_lightning.utils.errors import DataError, first_few
from lrfr_lightning.utils.paths import existing

WRAPPERS = re.compile(r"^(module\.|_orig_mod\.)+")
"""What DataParallel, DDP and torch.compile put before each name."""


PUBLISHED = "timm"
"""Instead of a file: the weights that timm publishes for a :class:`TimmBackbone`."""


def load_weights(backbone: Backbone, path: str | Path) -> None:
    """Fill ``backbone`` from a file, or with ``"timm"`` from timm's download; all has to fit.

    It reads ``.safetensors``, and ``.pt``, ``.pth``, ``.ckpt`` restricted to plain tensors. Of a
    Lightning checkpoint the tensors under ``backbone.`` are taken; head weights, optimiser states
    and the wrapper prefixes ``module.`` and ``_orig_mod.`` are left behind. Floating-point
    precision may differ from that of the backbone.

    Raises:
        DataError: the file is missing, damaged, of another kind, would run code when loaded, or
            its names or shapes are not those of ``backbone``.
    """
    if str(path) == PUBLISHED and isinstance(backbone, TimmBackbone):
        backbone.load_published_weights()
        return
    file = existing(path, "weights file")
    tensors = _backbone_tensors(read_weights(file), file)
    _check_fit(backbone, tensors, file)
    backbone.load_state_dict(tensors)


def check_weights(backbone: Backbone, path: str | Path) -> None:
    """Refuse a file that :func:`load_weights` would refuse, by names and shapes; no value is read.

    ``"timm"`` is not looked at: only its download tells.

    Raises:
        DataError: see :func:`load_weights`.
    """
    if str(path) != PUBLISHED or not isinstance(backbone, TimmBackbone):
        file = existing(path, "weights file")
        _check_fit(backbone, _backbone_tensors(read_weights(file, "meta"), file), file)


def _check_fit(backbone: Backbone, tensors: dict[str, Tensor], file: Path) -> None:
    found = misfits(tensors, backbone.state_dict())
    if found:
        raise DataError(
            f"{file} does not fit {type(backbone).__name__}: {'; '.join(found)}; "
            "build the backbone with the settings the weights were trained with"
        )


def read_weights(file: Path, device: str = "cpu") -> Any:
    """What a weight file holds, restricted to plain data and tensors.

    Args:
        file: the file.
        device: where the tensors go; ``meta`` leaves their values in the file.

    Raises:
        DataError: the file is damaged, of another kind, or would run code when loaded.
    """
    if file.suffix == ".safetensors":
        return _read_safetensors(file, device)
    if file.suffix in (".pt", ".pth", ".ckpt"):
        return _read_pickle(file, device)
    raise DataError(
        f"{file}: expected weights as .safetensors, .pt, .pth or .ckpt, got {file.suffix!r}"
    )


def _read_safetensors(file: Path, device: str) -> dict[str, Tensor]:
    try:
        return _shapes(file) if device == "meta" else load_file(file, device)
    except (SafetensorError, OSError) as error:
        raise _damaged(file, error) from error


def _shapes(file: Path) -> dict[str, Tensor]:
    with safe_open(file, "pt") as opened:
        shapes = {name: opened.get_slice(name).get_shape() for name in opened.keys()}  # noqa: SIM118
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def _read_pickle(file: Path, device: str) -> Any:
    try:
        return torch.load(file, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        raise DataError(
            f"{file} holds more than tensors ({asked[1] if asked else 'no plain state dict'}); "
            "loading it could run code from it and is refused; where you trust it, load it "
            "yourself and save its state_dict() as .safetensors"
        ) from error
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        raise _damaged(file, error) from error


def _damaged(file: Path, error: Exception) -> DataError:
    reason = str(error).partition("\n")[0] or type(error).__name__
    return DataError(f"{file} cannot be read as weights ({reason}); is it complete?")


def _backbone_tensors(contents: Any, file: Path) -> dict[str, Tensor]:
    """Names as the backbone knows them, everything else left out."""
    if isinstance(contents, dict) and isinstance(contents.get("state_dict"), dict):
        contents = contents["state_dict"]
    if not isinstance(contents, dict):
        raise DataError(f"{file}: expected a state dict, got {type(contents).__name__}")
    tensors = {
        WRAPPERS.sub("", str(name)): value
        for name, value in contents.items()
        if isinstance(value, Tensor)
    }
    if any(name.startswith("backbone.") for name in tensors):
        return {
            WRAPPERS.sub("", name.removeprefix("backbone.")): value
            for name, value in tensors.items()
            if name.startswith("backbone.")
        }
    return {name: value for name, value in tensors.items() if not name.startswith("head.")}


def misfits(given: dict[str, Tensor], wanted: dict[str, Tensor]) -> list[str]:
    """What keeps ``given`` from being loaded, in words; empty if nothing does."""
    # old files lack the batch counters of BatchNorm; PyTorch fills them in
    missing = [n for n in wanted if n not in given and not n.endswith("num_batches_tracked")]
    unexpected = [n for n in given if n not in wanted]
    reshaped = [
        f"{n} {tuple(given[n].shape)} for {tuple(wanted[n].shape)}"
        for n in wanted
        if n in given and given[n].shape != wanted[n].shape
    ]
    found = {"missing": missing, "unexpected": unexpected, "of another shape": reshaped}
    return [f"{len(names)} {how} ({first_few(names)})" for how, names in found.items() if names]
