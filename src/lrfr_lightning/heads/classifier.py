"""The identity weights, all of them in one process."""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding as embedding_rows
from torch.nn.functional import linear, normalize

from lrfr_lightning.functional.softmax_loss import log_partition
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

    def cosine_with(self, direction: Tensor, row: Tensor, ranks: int = 1) -> Tensor:
        """Cosine of each direction ``(B, D)``, of length 1, with one row ``(B,)``, ``(B,)``.

        The gradient of the weights is sparse: beside that of the softmax it takes no memory. It is
        divided by ``ranks``, as in :func:`~lrfr_lightning.functional.softmax_loss.log_partition`.
        """
        weight = embedding_rows(row, self.weight, sparse=True).to(direction.dtype)
        if ranks > 1 and weight.requires_grad:
            weight.register_hook(lambda gradient: gradient / ranks)  # type: ignore[no-untyped-call]
        return (direction * normalize(weight)).sum(dim=1)

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
        scales = torch.as_tensor(scale, dtype=embedding.dtype, device=embedding.device)
        weight = self.weight.to(embedding.dtype)
        partition = log_partition(
            normalize(embedding), weight, label, target_logit, scales.expand(len(label))
        )
        return partition - target_logit
