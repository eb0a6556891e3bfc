"""Models as ONNX files. Needs the extra ``onnx``."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.embedders.metadata import PIXEL_SPEC_KEY, read_metadata, read_pixel_spec
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.fingerprint import fingerprint_of
from lrfr_lightning.utils.onnx_session import check_providers, open_session
from lrfr_lightning.utils.paths import existing


class OnnxEmbedder(Embedder):
    """Any recogniser with one image input ``(B, 3, H, W)``, through ONNX Runtime.

    The first output is the embedding; a model of fixed batch size gets its batches filled up.

    Args:
        path: the ``.onnx`` file.
        pixel_spec: the network's input format; by default what the file's metadata say.
        name: the model's name in results; by default the file's.
        providers: of ONNX Runtime, in order; by default CUDA on a CUDA device, or else the CPU.

    Raises:
        ConfigError: the extra is not installed, a provider is not available, or neither file nor
            argument says how pixels are normalised.
        DataError: no such file, or it cannot be read as such a model.
    """

    def __init__(
        self,
        path: str,
        pixel_spec: PixelSpec | None = None,
        name: str | None = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        self.path = existing(path, "ONNX model")
        self.name = name or self.path.stem
        self.providers = list(providers or [])
        self._device = torch.device("cpu")
        check_providers(self.providers)
        self.pixel_spec = pixel_spec or self._own_pixel_spec()
        self.metadata = read_metadata(self._texts, self.path)
        self._check_input()

    def to(self, device: torch.device) -> None:
        """Choose the provider, unless some were given."""
        self._device = device
        self.__dict__.pop("_session", None)

    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → float32 embeddings ``(B, D)``."""
        pixels = self.pixel_spec.normalise(images.cpu()).numpy().astype(np.float32)
        size = self._batch or len(pixels)
        parts = [self._run(pixels[i : i + size], size) for i in range(0, len(pixels), size)]
        return torch.from_numpy(np.concatenate(parts))

    def fingerprint(self) -> str:
        """The file's content and the input format."""
        return fingerprint_of(asdict(self.pixel_spec), [self.path.read_bytes()])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_session"}

    @cached_property
    def _session(self) -> Any:
        return open_session(self.path, self._device, self.providers)

    @property
    def _batch(self) -> int | None:
        """The batch size a model was exported with; None if it takes any."""
        size = self._session.get_inputs()[0].shape[0]
        return size if isinstance(size, int) else None

    def _run(self, pixels: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        filled = np.zeros((size, *pixels.shape[1:]), np.float32)
        filled[: len(pixels)] = pixels
        name = self._session.get_inputs()[0].name
        embedding = np.asarray(self._session.run(None, {name: filled})[0], np.float32)
        return embedding.reshape(size, -1)[: len(pixels)]

    @property
    def _texts(self) -> dict[str, str]:
        try:
            return dict(self._session.get_modelmeta().custom_metadata_map)
        except UnicodeDecodeError:
            raise DataError(f"{self.path} has metadata that are no text") from None

    def _own_pixel_spec(self) -> PixelSpec:
        spec = read_pixel_spec(self._texts, self.path)
        if spec is None:
            raise ConfigError(
                f"{self.path} does not say how its pixels are normalised (metadata "
                f"{PIXEL_SPEC_KEY!r}); give pixel_spec: size, mean, std and channel_order"
            )
        return spec

    def _check_input(self) -> None:
        inputs = self._session.get_inputs()
        wanted = (3, *self.pixel_spec.size)
        given = inputs[0].shape[1:] if inputs else []
        fits = len(given) == 3 and all(
            not isinstance(own, int) or own == side for own, side in zip(given, wanted, strict=True)
        )
        if len(inputs) != 1 or not fits or inputs[0].type != "tensor(float)":
            named = ", ".join(f"{i.name} {i.shape} {i.type}" for i in inputs)
            raise DataError(
                f"{self.path}: expected one input (B, {', '.join(map(str, wanted))}) of "
                f"tensor(float), got {named}"
            )
