"""Pretrained restorers as PyTorch weight files, through spandrel. Needs the extra ``restore``."""

from typing import Any

import torch
from torch import Tensor

from lrfr_lightning.backbones.weights import read_weights
from lrfr_lightning.functional.alignment import SIDE
from lrfr_lightning.preprocessing.placing import FFHQ_SHARE, Placing
from lrfr_lightning.preprocessing.super_resolver import SuperResolver, enlarged
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.fingerprint import fingerprint_of
from lrfr_lightning.utils.paths import existing

_FACE_SIDE = 512


class SpandrelRestorer(SuperResolver):
    """A weight file whose network spandrel recognises: GFPGAN, RestoreFormer, or one for any image.

    Face restorers see the face in the middle of 512x512 px, aligned as FFHQ is; others see it as
    it is, 112x112 px, and what they enlarge is shrunk again. GPEN is not among them, see
    :class:`~lrfr_lightning.preprocessing.OnnxRestorer`. Noise that a network draws is the same for
    each batch.

    Args:
        path: ``.pth``, ``.pt``, ``.ckpt`` or ``.safetensors``; read without running code from it.
        name: the resolver's name in results; by default the file's.

    Raises:
        ConfigError: the extra is not installed.
        DataError: no such file, or it is no restorer of RGB images that spandrel knows.
    """

    def __init__(self, path: str, name: str | None = None) -> None:
        self.path = existing(path, "restorer weights")
        self.name = name or self.path.stem
        self.model = _loaded(read_weights(self.path), str(self.path))
        face = self.model.purpose == "FaceSR"
        self.placing = Placing(_FACE_SIDE, FFHQ_SHARE) if face else Placing(SIDE, 1)

    @torch.inference_mode()
    def restore(self, faces: Tensor) -> Tensor:
        """Faces ``(B, 3, H, W)`` → float32 ``(B, 3, 112, 112)``, see :class:`SuperResolver`."""
        squares = self.placing.placed(enlarged(faces.to(self.model.device))) / 255
        with torch.random.fork_rng():
            torch.manual_seed(0)
            restored = self.model(squares)
        return self.placing.taken(restored.clamp(0, 1) * 255)

    def to(self, device: torch.device) -> None:
        """Move the network to a device."""
        self.model.to(device)

    def fingerprint(self) -> str:
        """The file's content."""
        return fingerprint_of("spandrel", [self.path.read_bytes()])


def _loaded(contents: Any, path: str) -> Any:
    try:
        import spandrel
    except ImportError:
        raise ConfigError(
            "restorers as weight files need spandrel: pip install 'lrfr_lightning[restore]'"
        ) from None
    try:
        state = spandrel.canonicalize_state_dict(contents)
        model = spandrel.ModelLoader().load_from_state_dict(state)
    except Exception as error:  # what a foreign file raises depends on its tensors
        reason = f"{type(error).__name__}: {error!s:.200}"
        raise DataError(
            f"{path} holds no network that spandrel knows ({reason}); load it as an ONNX file"
        ) from None
    if not isinstance(model, spandrel.ImageModelDescriptor) or model.input_channels != 3:
        raise DataError(f"{path}: expected a restorer of RGB images, got {model.architecture.name}")
    return model.eval()
