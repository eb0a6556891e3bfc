"""Training towards what a frozen high-resolution network makes of each image."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.weights import load_weights
from lrfr_lightning.datamodules.batch import Batch
from lrfr_lightning.functional.relation import relation
from lrfr_lightning.tasks.recognition import RecognitionTask
from lrfr_lightning.utils.errors import ConfigError


class DistillationTask(RecognitionTask):
    """``head_weight · head + feature_weight · mean(1 - cos(teacher, student))``, and a relation.

    Feature distillation after the field's practice (ours): the student sees degraded and augmented
    images, the teacher has seen each of them once, as it lies on disk and mirrored. Its sums of
    the two unit embeddings are made before the first step and kept on the CPU in float16,
    ``N · D · 2`` bytes (0.5 GB for CASIA-WebFace at D = 512), so that a step costs no more than
    without a teacher. With ``head_weight`` 0 no label is looked at. Logs ``train/feature``.

    ``relation_weight`` adds :func:`~lrfr_lightning.functional.relation.relation`: the student is to
    find each image as like others as the teacher does. The others are ``anchors`` training images,
    drawn once by the run's seed, of which each device holds the teacher's embeddings, ``anchors · D
    · 2`` bytes; a step multiplies its batch with them twice. Logs ``train/relation``.

    Args:
        teacher: the frozen network, of the student's ``embedding_dim``.
        teacher_weights: its weight file; it is never part of a checkpoint.
        feature_weight: of the distance to the teacher.
        head_weight: of the loss over identities; at 0 the head is frozen.
        relation_weight: of the difference in likeness to the anchors; at 0 none are drawn.
        temperature: of the softmax over the anchors, in units of the cosine, > 0.
        anchors: at most this many, all training images where there are fewer.
        arguments: of :class:`RecognitionTask`; ``place_identities`` takes the teacher's embeddings.

    Raises:
        ConfigError: teacher and student have embeddings of different length; ``temperature`` or
            ``anchors`` is not positive.
    """

    def __init__(
        self,
        teacher: Backbone,
        teacher_weights: str,
        feature_weight: float = 10.0,
        head_weight: float = 1.0,
        relation_weight: float = 0.0,
        temperature: float = 0.1,
        anchors: int = 16384,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        if teacher.embedding_dim != self.backbone.embedding_dim:
            raise ConfigError(
                f"teacher and student: expected embeddings of one length, got "
                f"{teacher.embedding_dim} and {self.backbone.embedding_dim}"
            )
        if temperature <= 0 or anchors < 1:
            raise ConfigError(
                "relation to the anchors: expected a temperature above 0 and at least one anchor, "
                f"got temperature {temperature:g} and {anchors} anchors"
            )
        # in a tuple, so that it is no submodule: nothing of it is trained or saved
        self._teacher = (teacher,)
        self.teacher_weights = teacher_weights
        self.feature_weight = feature_weight
        self.head_weight = head_weight
        self.relation_weight = relation_weight
        self.temperature = temperature
        self.anchors = anchors
        # DDP waits for the gradient of everything that can be trained
        self.head.requires_grad_(head_weight > 0)

    def weight_files(self) -> dict[str, tuple[Backbone, str]]:
        """The teacher's, and the pretrained backbone's."""
        teacher = {"teacher_weights": (self._teacher[0], self.teacher_weights)}
        return super().weight_files() | teacher

    def on_fit_start(self) -> None:
        """Ask the teacher, start from the pretrained backbone, place the identities' weights.

        Raises:
            ConfigError: the run has no data module that lists all its training images.
        """
        teacher = self._teacher[0]
        load_weights(teacher, self.teacher_weights)
        teacher.to(self.device).to(memory_format=self._layout)
        self._reference = self.embed_training_images(teacher)
        teacher.cpu()
        super().on_fit_start()
        if self.relation_weight > 0:
            self._anchors = self._draw_anchors().to(self.device)

    def _draw_anchors(self) -> Tensor:
        """Of the images that the teacher has seen, the same on every rank of a seeded run."""
        embedding = self._reference[0]
        seen = embedding.any(dim=1).nonzero().flatten()  # zeros: it was unreadable
        order = torch.randperm(len(seen), generator=torch.Generator().manual_seed(self._seed))
        return embedding[seen[order[: self.anchors]]]

    def reference(self) -> tuple[Tensor, Tensor]:
        """The teacher's embeddings of all training images, float16 ``(N, D)``, and labels."""
        return self._reference

    def loss(self, embedding: Tensor, batch: Batch) -> Tensor:
        """Distance to the teacher's embeddings, the relation to the anchors, the head's loss."""
        target = self._reference[0][batch["index"].cpu()].to(embedding.device, torch.float32)
        feature = (1 - (normalize(embedding.float()) * target).sum(dim=1)).mean()
        self.log("train/feature", feature, batch_size=len(target))
        loss = self.feature_weight * feature
        if self.relation_weight > 0:
            alike = relation(embedding, target, self._anchors, self.temperature)
            self.log("train/relation", alike, batch_size=len(target))
            loss = loss + self.relation_weight * alike
        if self.head_weight > 0:
            loss = loss + self.head_weight * super().loss(embedding, batch)
        return loss
