"""Training with DeriveNet's two losses."""

import math
from typing import Any

import torch
from pytorch_lightning.utilities import rank_zero_info
from torch import Tensor, nn
from torch.nn.functional import normalize

from lrfr_lightning.datamodules.batch import SIDE, Batch, quality_of, split_views
from lrfr_lightning.functional.derivenet import (
    centre_memory,
    centre_similarity,
    class_sums,
    d_margin,
    recent,
    running_mean,
    thumbnails,
)
from lrfr_lightning.tasks.recognition import RecognitionTask
from lrfr_lightning.utils.distributed import sum_over_ranks
from lrfr_lightning.utils.errors import ConfigError


class Reconstruction(nn.Module):
    """g: embeddings ``(B, D)`` → grey thumbnails ``(B, P)``, two linear layers.

    Embeddings are brought to length ``sqrt(D)``, so that it sees what a comparison by cosine sees.

    Args:
        embedding_dim: D.
        pixels: P.
        hidden: width between the layers.
    """

    def __init__(self, embedding_dim: int, pixels: int, hidden: int = 512) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(embedding_dim, hidden), nn.PReLU(hidden), nn.Linear(hidden, pixels)
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """Thumbnails as :func:`lrfr_lightning.functional.derivenet.thumbnails` makes them."""
        reconstruction: Tensor = self.layers(normalize(embedding) * math.sqrt(embedding.shape[1]))
        return reconstruction


class ClassCentres(nn.Module):
    """The mean HR thumbnail of each class, in buffers that checkpoints hold.

    Args:
        num_classes: C.
        side: of the thumbnails, px; P = side².

    Attributes:
        mean: float32 ``(C, P)``, -1..1; 0 for a class not seen yet.
        count: int64 ``(C,)``, images seen.
    """

    mean: Tensor
    count: Tensor

    def __init__(self, num_classes: int, side: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(num_classes, side**2))
        self.register_buffer("count", torch.zeros(num_classes, dtype=torch.int64))

    @torch.no_grad()
    def update(self, thumbnail: Tensor, label: Tensor) -> None:
        """Take in thumbnails ``(B, P)`` of classes ``(B,)``; every rank takes in those of all."""
        sums, counts = class_sums(thumbnail, label, len(self.count))
        mean, count = running_mean(
            self.mean, self.count, sum_over_ranks(sums), sum_over_ranks(counts)
        )
        self.mean.copy_(mean)
        self.count.copy_(count)

    def similarity(self, label: Tensor) -> Tensor:
        """D of each class ``(B,)`` with all, ``(B, C)``, see :func:`centre_similarity`."""
        return centre_similarity(self.mean, self.count > 0, label)


class DeriveNetTask(RecognitionTask):
    """Margins that grow with the likeness of two identities, and a reconstruction of the HR face.

    Singh et al., TPAMI 2022, see :mod:`lrfr_lightning.functional.derivenet`. Both views of each
    image pass through backbone, head and reconstruction, which train together. z is what the head
    makes of the cosines with all identities: scale times cosine, with the head's margin on the
    target; the paper's has none (``CosFace(margin=0)``). Logs ``train/d_margin`` and
    ``train/recent``.

    Args:
        alpha: α of D-Margin, in units of the logits: two identities that look the same are kept
            ``alpha / scale`` of cosine apart.
        recent_weight: λ of ReCent.
        thumbnail: side of the HR thumbnails, px.
        arguments: of :class:`RecognitionTask`.

    Raises:
        ConfigError: ``thumbnail`` is not in 1..112, or α or λ is negative.
    """

    def __init__(
        self,
        alpha: float = 10.0,
        recent_weight: float = 1e-3,
        thumbnail: int = 16,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        if not 1 <= thumbnail <= SIDE:
            raise ConfigError(f"thumbnail: expected a side of 1..{SIDE} px, got {thumbnail}")
        if alpha < 0 or recent_weight < 0:
            raise ConfigError(
                f"expected alpha >= 0 and recent_weight >= 0, got {alpha} and {recent_weight}"
            )
        self.alpha = alpha
        self.recent_weight = recent_weight
        self.thumbnail = thumbnail
        self.reconstruction = Reconstruction(self.backbone.embedding_dim, thumbnail**2)
        self.centres = ClassCentres(self.num_classes, thumbnail)

    def on_fit_start(self) -> None:
        """Start from the pretrained backbone and say what the centres take."""
        super().on_fit_start()
        megabytes = centre_memory(self.num_classes, self.thumbnail) / 1e6
        rank_zero_info(
            f"class centres: {self.num_classes:,} x {self.thumbnail**2} float32 and their counts "
            f"= {megabytes:.1f} MB"
        )

    def loss(self, embedding: Tensor, batch: Batch) -> Tensor:
        """D-Margin and ReCent over both views; in training, the centres take in the batch first.

        Raises:
            ConfigError: the batch does not hold two views of the same images.
        """
        high, _, label = split_views(batch["image"], batch)
        thumbnail = thumbnails(high, self.thumbnail)
        if self.training:
            self.centres.update(thumbnail[label >= 0], label[label >= 0])
        labelled = batch["label"] >= 0
        quality = quality_of(batch, self.head.margin.quality_key)
        embedding, label = embedding[labelled], batch["label"][labelled]
        dtype = torch.promote_types(embedding.dtype, torch.float32)
        reconstruction = self.reconstruction(embedding).to(dtype)
        with torch.autocast(embedding.device.type, enabled=False):
            chosen = None if quality is None else quality[labelled].to(dtype)
            margins = self._d_margin(embedding.to(dtype), label, chosen)
            centre = self.centres.mean[label]
            rest = recent(
                reconstruction, thumbnail.repeat(2, 1)[labelled], centre, self.recent_weight
            )
        self.log("train/d_margin", margins, batch_size=len(labelled))
        self.log("train/recent", rest, batch_size=len(labelled))
        return margins + rest

    def _d_margin(self, embedding: Tensor, label: Tensor, quality: Tensor | None) -> Tensor:
        """Mean D-Margin loss of the head's logits; all labels ≥ 0."""
        margin, classifier = self.head.margin, self.head.classifier
        norm = torch.linalg.vector_norm(embedding, dim=1)
        scale = torch.as_tensor(margin.logit_scale(norm), device=norm.device)
        target = margin(classifier.target_cosine(embedding, label), norm, quality) * scale
        logit = classifier(embedding) * scale.reshape(-1, 1)
        similarity = self.centres.similarity(label)
        losses = d_margin(logit, target, label, similarity, self.alpha)
        return (losses + margin.regulariser(norm)).sum() / max(len(losses), 1)
