"""ONNX Runtime, which is optional: the extra ``onnx``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.onnx_parts import check_parts


def open_session(path: Path, device: torch.device, providers: Sequence[str] = ()) -> Any:
    """An ``InferenceSession`` of a file.

    Args:
        path: the ``.onnx`` file.
        device: chooses CUDA or the CPU where no provider is given.
        providers: of ONNX Runtime, in order.

    Raises:
        ConfigError: the extra is not installed, or a provider is not available.
        DataError: the file cannot be read as a model.
    """
    runtime = _runtime()
    default = ["CUDAExecutionProvider" if device.type == "cuda" else "CPUExecutionProvider"]
    chosen = list(providers) or default
    check_providers(chosen)
    check_parts(path)
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # errors alone
    try:
        return runtime.InferenceSession(str(path), options, providers=chosen)
    except Exception as error:  # ONNX Runtime has no base class of its own for these
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path} cannot be read as an ONNX model ({reason})") from None


def check_providers(providers: Sequence[str]) -> None:
    """Refuse providers that this ONNX Runtime does not have.

    Raises:
        ConfigError: the extra is not installed, or a provider is not available.
    """
    available = _runtime().get_available_providers()
    missing = [name for name in providers if name not in available]
    if missing:
        raise ConfigError(
            f"ONNX Runtime has no {', '.join(missing)} here, only {', '.join(available)}; "
            "for CUDA install onnxruntime-gpu instead of onnxruntime"
        )


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise ConfigError(
            "ONNX models need onnxruntime: pip install 'lrfr_lightning[onnx]'"
        ) from None
    return onnxruntime
