"""Training towards what a frozen high-resolution network makes of each image."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.utils.data import DataLoader
from tqdm import tqdm

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.weights import load_weights
from lrfr_lightning.datamodules.batch import Batch
from lrfr_lightning.tasks.recognition import RecognitionTask
from lrfr_lightning.utils.distributed import gather_objects, rank_and_world
from lrfr_lightning.utils.errors import ConfigError


class DistillationTask(RecognitionTask):
    """``head_weight · head + feature_weight · mean(1 - cos(teacher, student))``.

    Feature distillation after the field's practice (ours): the student sees degraded and augmented
    images, the teacher has seen each of them once, as it lies on disk and mirrored. Its sums of
    the two unit embeddings are made before the first step and kept on the CPU in float16,
    ``N · D · 2`` bytes (0.5 GB for CASIA-WebFace at D = 512), so that a step costs no more than
    without a teacher. With ``head_weight`` 0 no label is looked at. Logs ``train/feature``.

    Args:
        teacher: the frozen network, of the student's ``embedding_dim``.
        teacher_weights: its weight file; it is never part of a checkpoint.
        feature_weight: of the distance to the teacher.
        head_weight: of the loss over identities; at 0 the head is frozen.
        centre_classifier: start the weight of each identity at the mean of its images' teacher
            embeddings; a head that starts at random pulls the embeddings away at first.
        arguments: of :class:`RecognitionTask`.

    Raises:
        ConfigError: teacher and student have embeddings of different length.
    """

    def __init__(
        self,
        teacher: Backbone,
        teacher_weights: str,
        feature_weight: float = 10.0,
        head_weight: float = 1.0,
        centre_classifier: bool = True,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        if teacher.embedding_dim != self.backbone.embedding_dim:
            raise ConfigError(
                f"teacher and student: expected embeddings of one length, got "
                f"{teacher.embedding_dim} and {self.backbone.embedding_dim}"
            )
        # in a tuple, so that it is no submodule: nothing of it is trained or saved
        self._teacher = (teacher,)
        self.teacher_weights = teacher_weights
        self.feature_weight = feature_weight
        self.head_weight = head_weight
        self.centre_classifier = centre_classifier
        # DDP waits for the gradient of everything that can be trained
        self.head.requires_grad_(head_weight > 0)

    def on_fit_start(self) -> None:
        """Start from the pretrained backbone, ask the teacher, place the identities' weights.

        Raises:
            ConfigError: the run has no data module that lists all its training images.
        """
        fresh = not self._has_weights
        super().on_fit_start()
        data = getattr(self.trainer, "datamodule", None)
        if data is None:
            raise ConfigError("DistillationTask needs a data module such as FaceDataModule")
        load_weights(self._teacher[0], self.teacher_weights)
        self.targets, label = self._ask(data.predict_dataloader())
        if self.centre_classifier and self.head_weight > 0 and fresh:
            self._place(label)

    def loss(self, embedding: Tensor, batch: Batch) -> Tensor:
        """Distance to the teacher's embeddings, and the head's loss."""
        target = self.targets[batch["index"].cpu()].to(embedding.device, torch.float32)
        cosine = (normalize(embedding.float()) * target).sum(dim=1)
        feature = (1 - cosine).mean()
        self.log("train/feature", feature, batch_size=len(cosine))
        if self.head_weight == 0:
            return self.feature_weight * feature
        return self.head_weight * super().loss(embedding, batch) + self.feature_weight * feature

    @torch.no_grad()
    def _ask(self, loader: DataLoader[Any]) -> tuple[Tensor, Tensor]:
        """The teacher's embeddings of all images, float16 ``(N, D)``, and labels ``(N,)``."""
        teacher = self._teacher[0].to(self.device).to(memory_format=self._layout).eval()
        rank, world = rank_and_world()
        own = []
        bar = tqdm(loader, "teacher", leave=False, disable=True if rank > 0 else None)
        for number, batch in enumerate(bar):
            if number % world == rank:
                images = batch["image"].to(self.device)
                embedding = self._embed(teacher, images) + self._embed(teacher, images.flip(3))
                own.append((batch["index"], batch["label"], normalize(embedding).half().cpu()))
        parts = [part for share in gather_objects(own) for part in share]
        index, label, embedding = (torch.cat(column) for column in zip(*parts, strict=True))
        order = index.argsort()
        teacher.cpu()
        return embedding[order], label[order]

    def _embed(self, teacher: Backbone, images: Tensor) -> Tensor:
        pixels = teacher.pixel_spec.normalise(images).contiguous(memory_format=self._layout)
        with self.trainer.precision_plugin.forward_context():
            return normalize(teacher(pixels).float())

    @torch.no_grad()
    def _place(self, label: Tensor) -> None:
        """Weight of each identity ← mean teacher embedding of its images, of length 1."""
        weight = self.head.classifier.weight
        labelled = label >= 0
        sums = torch.zeros(weight.shape, dtype=torch.float32)
        sums.index_add_(0, label[labelled], self.targets[labelled].float())
        weight.copy_(normalize(sums))
