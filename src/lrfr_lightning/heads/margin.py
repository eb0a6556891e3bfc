"""What every margin is to the rest of the library."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.recipe import Recorded


class Margin(Recorded, nn.Module):
    """Makes the cosine of the target class smaller, by a rule that may look at the sample.

    It has no weights and sees the target cosines only, ``(B,)``: the other classes' logits are
    ``logit_scale · cos θ_j`` whatever the margin. Samples without a label (-1) never reach it, so
    B may be 0. A margin that keeps running statistics holds them in buffers, updates them in
    training mode only and stays finite for B = 0 and B = 1.

    Attributes:
        scale: s > 0; every logit, the target's too, is multiplied by it (see :meth:`logit_scale`).
        quality_key: the entry of the batch the margin wants as ``quality``, for instance
            ``"resolution"``; None if it wants none.
    """

    quality_key: ClassVar[str | None] = None
    scale: float

    def __init__(self, scale: float) -> None:
        super().__init__()
        if not scale > 0:
            raise ConfigError(f"{type(self).__name__} scale: expected s > 0, got {scale}")
        self.scale = scale

    @abstractmethod
    def forward(self, cosine: Tensor, norm: Tensor, quality: Tensor | None = None) -> Tensor:
        """The target cosine after the margin, not yet multiplied by the scale.

        Args:
            cosine: ``(B,)`` float32 or float64, target cosines, -1..1.
            norm: ``(B,)``, same dtype, lengths of the embeddings, ≥ 0. It carries a gradient;
                a margin that must not train through it detaches it.
            quality: ``(B,)``, same dtype, the batch entry ``quality_key``; None without a key.

        Returns:
            ``(B,)``, same dtype.
        """

    def logit_scale(self, norm: Tensor) -> float | Tensor:
        """What all logits of a sample are multiplied by: ``scale``, or one number each ``(B,)``.

        A margin that lets the features keep their norm, ``(B,)``, overrides it.
        """
        return self.scale

    def regulariser(self, norm: Tensor) -> Tensor:
        """What is added to each sample's loss: ``(B,)`` from norms ``(B,)``; zero by default."""
        return norm.new_zeros(norm.shape)
