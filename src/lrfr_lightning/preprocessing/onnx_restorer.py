"""Pretrained face restorers as ONNX files, GPEN the first. Needs the extra ``onnx``."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrfr_lightning.preprocessing.placing import FFHQ_SHARE, Placing
from lrfr_lightning.preprocessing.super_resolver import SuperResolver, enlarged
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.fingerprint import fingerprint_of
from lrfr_lightning.utils.onnx_session import open_session
from lrfr_lightning.utils.paths import existing

_MIDDLE = 127.5


class OnnxRestorer(SuperResolver):
    """A restorer with one image input ``(B, 3, S, S)`` and an image as its first output.

    Both are RGB, -1..1: so GPEN (Yang et al., 2105.06070, CVPR 2021), GFPGAN, CodeFormer and
    RestoreFormer are exported. A model of fixed batch size gets one batch of it after the other.

    Args:
        path: the ``.onnx`` file.
        name: the resolver's name in results; by default the file's.
        side: S, px, for a file that takes any; by default the file's own.
        share: of S that our face takes, see
            :data:`~lrfr_lightning.preprocessing.placing.FFHQ_SHARE`; 1 for a restorer that was
            trained on crops as ours.
        providers: of ONNX Runtime, in order; by default CUDA on a CUDA device, or else the CPU.

    Raises:
        ConfigError: the extra is not installed, a provider is not available, the share lies outside
            its range, or neither file nor ``side`` says the size.
        DataError: no such file, or it cannot be read as such a model.
    """

    def __init__(
        self,
        path: str,
        name: str | None = None,
        side: int | None = None,
        share: float = FFHQ_SHARE,
        providers: Sequence[str] = (),
    ) -> None:
        self.path = existing(path, "ONNX model")
        self.name = name or self.path.stem
        self.providers = list(providers)
        self._device = torch.device("cpu")
        self.placing = Placing(self._checked_side(side), share)

    @torch.inference_mode()
    def restore(self, faces: Tensor) -> Tensor:
        """Faces ``(B, 3, H, W)`` → float32 ``(B, 3, 112, 112)``, see :class:`SuperResolver`."""
        squares = (self.placing.placed(enlarged(faces.cpu())) / _MIDDLE - 1).numpy()
        batch = self._session.get_inputs()[0].shape[0]
        size = batch if isinstance(batch, int) else len(squares)
        parts = [self._run(squares[i : i + size], size) for i in range(0, len(squares), size)]
        restored = torch.from_numpy(np.concatenate(parts))
        return self.placing.taken((restored.clamp(-1, 1) + 1) * _MIDDLE)

    def to(self, device: torch.device) -> None:
        """Choose the provider, unless some were given."""
        self._device = device
        self.__dict__.pop("_session", None)

    def fingerprint(self) -> str:
        """The file's content, and where faces are placed."""
        return fingerprint_of(vars(self.placing), [self.path.read_bytes()])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_session"}

    @cached_property
    def _session(self) -> Any:
        return open_session(self.path, self._device, self.providers)

    def _run(self, squares: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        filled = np.zeros((size, *squares.shape[1:]), np.float32)
        filled[: len(squares)] = squares
        name = self._session.get_inputs()[0].name
        restored = np.asarray(self._session.run(None, {name: filled})[0], np.float32)
        if restored.ndim != 4 or restored.shape[1] != 3:
            raise DataError(
                f"{self.path}: expected restored faces (B, 3, S, S), got {restored.shape}"
            )
        return restored[: len(squares)]

    def _checked_side(self, side: int | None) -> int:
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if inputs else []
        image = len(inputs) == 1 and len(shape) == 4 and shape[1] == 3
        if not image or inputs[0].type != "tensor(float)":
            named = ", ".join(f"{i.name} {i.shape} {i.type}" for i in inputs)
            raise DataError(
                f"{self.path}: expected one input (B, 3, S, S) of tensor(float), got {named}"
            )
        own = [length for length in shape[2:] if isinstance(length, int)]
        wanted = {*own, *([] if side is None else [side])}
        if len(wanted) != 1:
            raise ConfigError(
                f"{self.path} takes faces of {shape[2]}x{shape[3]} px and side is {side}; expected "
                "one square size, from the file or as side"
            )
        return int(wanted.pop())
