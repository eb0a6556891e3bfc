"""The identity weights, all of them in one process."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, normalize

from lrfr_lightning.utils.recipe import Recorded


class CosineClassifier(Recorded, nn.Module):
    """One weight vector per identity, compared with embeddings by cosine.

    Everything is computed in the dtype of the embedding, whatever that of the weights. A
    classifier that never holds all ``(B, C)`` logits overrides :meth:`target_cosine` and
    :meth:`negative_log_likelihood`, the two methods a margin head calls.

    Args:
        embedding_dim: D.
        num_classes: C, how many identities.

    Attributes:
        weight: ``(C, D)``, not normalised; drawn from N(0, 0.01²).
    """

    def __init__(self, embedding_dim: int, num_classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_classes, embedding_dim))
        nn.init.normal_(self.weight, std=0.01)

    def forward(self, embedding: Tensor) -> Tensor:
        """Cosines with every identity, ``(B, D)`` → ``(B, C)``, -1..1."""
        weight = normalize(self.weight.to(embedding.dtype))
        return linear(normalize(embedding), weight).clamp(-1, 1)

    def target_cosine(self, embedding: Tensor, label: Tensor) -> Tensor:
        """Cosine of each embedding with its own identity only.

        Args:
            embedding: ``(B, D)`` float.
            label: ``(B,)`` int64, 0..C-1.

        Returns:
            ``(B,)``, -1..1, the dtype of ``embedding``.
        """
        weight = normalize(self.weight[label].to(embedding.dtype))
        return (normalize(embedding) * weight).sum(dim=1).clamp(-1, 1)

    def negative_log_likelihood(
        self, embedding: Tensor, label: Tensor, target_logit: Tensor, scale: float | Tensor
    ) -> Tensor:
        """Softmax loss per sample, the target's logit given and all others ``scale · cos θ_j``.

        Args:
            embedding: ``(B, D)`` float.
            label: ``(B,)`` int64, 0..C-1.
            target_logit: ``(B,)``, margin and scale applied.
            scale: s, a number or one per sample ``(B,)``.

        Returns:
            ``(B,)``, ≥ 0.
        """
        logits = self(embedding) * (scale.unsqueeze(1) if isinstance(scale, Tensor) else scale)
        # in place: the target's own s·cos θ is overwritten, no second (B, C) tensor is made
        logits.scatter_(1, label.unsqueeze(1), target_logit.unsqueeze(1))
        return cross_entropy(logits, label, reduction="none")
