"""How far the embeddings of an exported file are from those of its network."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch.nn.functional import cosine_similarity

from lrfr_lightning.datasets.base import Image
from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.export.faces import RESOLUTIONS, at_resolution
from lrfr_lightning.utils.errors import DataError

LIMIT = 0.9999
"""Smallest cosine that a float32 export may have."""


@dataclass(frozen=True)
class Parity:
    """Cosine of the two embeddings of a face, over faces at one resolution.

    Attributes:
        resolution: side, px.
        smallest: over all faces, -1..1; NaN where an embedding is not finite.
        mean: over all faces.
    """

    resolution: int
    smallest: float
    mean: float


def measure_parity(network: Embedder, exported: Embedder, faces: list[Image]) -> list[Parity]:
    """Embed faces, uint8 ``(112, 112, 3)`` RGB, with both at every resolution."""
    return [_parity(network, exported, faces, resolution) for resolution in RESOLUTIONS]


def check_parity(found: Sequence[Parity]) -> None:
    """Refuse an export that is not its network.

    Raises:
        DataError: a cosine is below ``LIMIT``.
    """
    failed = [parity for parity in found if not parity.smallest >= LIMIT]
    if failed:
        worst = failed[0]
        raise DataError(
            f"the exported file is not its network: the cosine of their embeddings falls to "
            f"{worst.smallest:.6f} at {worst.resolution} px, expected at least {LIMIT}; nothing "
            "is written; the network's forward may depend on data, on the batch or on being traced"
        )


def _parity(network: Embedder, exported: Embedder, faces: list[Image], resolution: int) -> Parity:
    shown = at_resolution(faces, resolution)
    one, other = network.embed(shown).double().cpu(), exported.embed(shown).double().cpu()
    cosine = cosine_similarity(one, other)
    return Parity(resolution, float(cosine.min()), float(cosine.mean()))
