"""The identity weights, all of them in one process."""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding as embedding_rows
from torch.nn.functional import linear, normalize

from lrfr_lightning.functional.softmax_loss import compare
from lrfr_lightning.utils.recipe import Recorded


class CosineClassifier(Recorded, nn.Module):
    """One weight vector per identity, compared with embeddings by cosine.

    Everything is computed in the dtype of the embedding, whatever that of the weights. A
    classifier that never holds all ``(B, C)`` logits overrides :meth:`compare`, which a margin head
    calls, and :meth:`target_cosine`.

    Args:
        embedding_dim: D.
        num_classes: C, how many identities.
        recompute: keep no ``(B, C)`` matrix between forward and backward but make the logits once
            more: four matrix products instead of three, for batches larger than D.

    Attributes:
        weight: ``(C, D)``, not normalised; drawn from N(0, 0.01²).
    """

    def __init__(self, embedding_dim: int, num_classes: int, recompute: bool = False) -> None:
        super().__init__()
        self.recompute = recompute
        self.weight = nn.Parameter(torch.empty(num_classes, embedding_dim))
        nn.init.normal_(self.weight, std=0.01)

    def forward(self, embedding: Tensor) -> Tensor:
        """Cosines with every identity, ``(B, D)`` → ``(B, C)``, -1..1."""
        weight = normalize(self.weight.to(embedding.dtype))
        return linear(normalize(embedding), weight).clamp(-1, 1)

    @property
    def rows(self) -> range:
        """The identities whose weights are here: all of them."""
        return range(len(self.weight))

    def share_out(self) -> None:
        """Make this rank's weights, once the ranks know of each other; here all were made."""

    def target_cosine(self, embedding: Tensor, label: Tensor) -> Tensor:
        """Cosine of each embedding with its own identity only.

        Args:
            embedding: ``(B, D)`` float.
            label: ``(B,)`` int64, 0..C-1.

        Returns:
            ``(B,)``, -1..1, the dtype of ``embedding``.
        """
        return self.cosine_with(normalize(embedding), label).clamp(-1, 1)

    def cosine_with(self, direction: Tensor, row: Tensor) -> Tensor:
        """Cosine of each direction ``(B, D)``, of length 1, with one row ``(B,)``, ``(B,)``.

        The gradient of the weights is sparse: beside that of the softmax it takes no memory.
        """
        weight = embedding_rows(row, self.weight, sparse=True).to(direction.dtype)
        return (direction * normalize(weight)).sum(dim=1)

    def compare(
        self, embedding: Tensor, label: Tensor, scale: float | Tensor
    ) -> tuple[Tensor, Tensor]:
        """What the softmax loss needs of each sample.

        Args:
            embedding: ``(B, D)`` float.
            label: ``(B,)`` int64, 0..C-1.
            scale: s, a number or one per sample ``(B,)``.

        Returns:
            Two ``(B,)``: the target cosine, -1..1, and ``log Σ_{j≠y} e^{s cos θ_j}``.
        """
        cosine, others = compare(
            normalize(embedding),
            self.weight.to(embedding.dtype),
            label,
            per_sample(scale, embedding),
            recompute=self.recompute,
        )
        return cosine.clamp(-1, 1), others


def per_sample(scale: float | Tensor, embedding: Tensor) -> Tensor:
    """The scale as ``(B,)`` in the embedding's dtype, a view where it is one number."""
    scales = torch.as_tensor(scale, dtype=embedding.dtype, device=embedding.device)
    return scales.expand(len(embedding))
