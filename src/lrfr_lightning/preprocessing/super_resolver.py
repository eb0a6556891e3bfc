"""The stage before a recogniser that restores a small face."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from lrfr_lightning.functional.alignment import SIDE
from lrfr_lightning.functional.resize import BICUBIC, resize
from lrfr_lightning.utils.errors import ConfigError


class SuperResolver(ABC):
    """Makes an aligned face of 112x112 px of a smaller one.

    It is blind: it is not told the resolution, so that it restores as well a face that was already
    brought back to 112 px, as protocols show them.

    Attributes:
        name: the resolver's name in results and pictures.
    """

    name: str

    @abstractmethod
    def restore(self, faces: Tensor) -> Tensor:
        """Restore a batch.

        Args:
            faces: ``(B, 3, H, W)`` RGB, 0..255, uint8 or float, of any one size; 112x112 px where
                they were enlarged before.

        Returns:
            float32 ``(B, 3, 112, 112)`` RGB, 0..255.
        """

    @abstractmethod
    def to(self, device: torch.device) -> None:
        """Move the weights, if there are any, to a device."""

    def fingerprint(self) -> str | None:
        """What tells this resolver from every other, by content; None: nothing does."""
        return None


class Bicubic(SuperResolver):
    """No restoration: bicubic enlargement, and a face of 112x112 px as it is.

    Args:
        name: the resolver's name.
    """

    def __init__(self, name: str = "bicubic") -> None:
        self.name = name

    def restore(self, faces: Tensor) -> Tensor:
        """Faces ``(B, 3, H, W)`` → float32 ``(B, 3, 112, 112)``, whole grey levels."""
        return enlarged(faces)

    def to(self, device: torch.device) -> None:
        """Nothing to move."""

    def fingerprint(self) -> str:
        """There is but one."""
        return "bicubic"


def enlarged(faces: Tensor) -> Tensor:
    """Faces brought to 112x112 px as protocols do it: bicubic, in whole grey levels.

    Args:
        faces: ``(B, 3, H, W)`` RGB, 0..255, uint8 or float.

    Returns:
        float32 ``(B, 3, 112, 112)``; of 112x112 px only the type changes.

    Raises:
        ConfigError: not ``(B, 3, H, W)``.
    """
    if faces.ndim != 4 or faces.shape[1] != 3:
        raise ConfigError(f"expected faces (B, 3, H, W), got shape {tuple(faces.shape)}")
    if faces.shape[2:] == (SIDE, SIDE):
        return faces.float()
    whole = faces.float().round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    larger = np.stack([resize(face, SIDE, SIDE, BICUBIC) for face in whole])
    return torch.from_numpy(larger).permute(0, 3, 1, 2).float().to(faces.device)
