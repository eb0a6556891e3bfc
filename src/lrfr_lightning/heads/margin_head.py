"""Embeddings and labels to a loss: any margin on any classifier."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lrfr_lightning.functional.softmax_loss import softmax_loss
from lrfr_lightning.heads.classifier import CosineClassifier
from lrfr_lightning.heads.margin import Margin
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.recipe import Recorded


class MarginHead(Recorded, nn.Module):
    """Softmax loss over identities with a margin on the target.

    ``L = -log( e^{f_y} / (e^{f_y} + Σ_{j≠y} e^{s cos θ_j}) )``, ``f_y`` = s times what the margin
    makes of ``cos θ_y``. It returns the loss and not the logits, since a sharded classifier never
    holds all of them.

    Args:
        embedding_dim: D.
        num_classes: C, how many identities.
        margin: the rule for the target.
        classifier: what owns the identity weights, called with (D, C).
    """

    def __init__(
        self,
        embedding_dim: int,
        num_classes: int,
        margin: Margin,
        classifier: Callable[[int, int], CosineClassifier] = CosineClassifier,
    ) -> None:
        super().__init__()
        self.margin = margin
        self.classifier = classifier(embedding_dim, num_classes)

    def forward(self, embedding: Tensor, label: Tensor, quality: Tensor | None = None) -> Tensor:
        """Mean loss over the labelled samples.

        Args:
            embedding: ``(B, D)`` float of any precision, not normalised.
            label: ``(B,)`` int64, 0..C-1, or -1: the sample is ignored.
            quality: ``(B,)``, the batch entry ``margin.quality_key``, if the margin has one.

        Returns:
            Scalar float32, under any autocast (float64 if the embedding is); 0, with a graph, if
            no sample has a label.

        Raises:
            ConfigError: the margin needs a quality and none came.
        """
        if self.margin.quality_key is not None and quality is None:
            raise ConfigError(
                f"{type(self.margin).__name__} needs the batch entry {self.margin.quality_key!r} "
                "as quality, got None; pass head(embedding, label, quality)"
            )
        # waits for the device once, where a mask would with each of its uses
        labelled = (label >= 0).nonzero().squeeze(1)
        dtype = torch.promote_types(embedding.dtype, torch.float32)
        with torch.autocast(embedding.device.type, enabled=False):
            chosen = None if quality is None else quality.index_select(0, labelled).to(dtype)
            known = embedding.index_select(0, labelled).to(dtype)
            losses = self._losses(known, label.index_select(0, labelled), chosen)
            return losses.sum() / max(len(losses), 1)

    def _losses(self, embedding: Tensor, label: Tensor, quality: Tensor | None) -> Tensor:
        """Loss of each sample, ``(B,)``; all labels ≥ 0."""
        norm = torch.linalg.vector_norm(embedding, dim=1)
        scale = self.margin.logit_scale(norm)
        cosine, others = self.classifier.compare(embedding, label, scale)
        target: Tensor = self.margin(cosine, norm, quality) * scale
        return softmax_loss(target, others) + self.margin.regulariser(norm)
