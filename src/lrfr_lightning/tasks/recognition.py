"""The LightningModule: a backbone and a head, trained by classification of identities."""

from collections.abc import Callable
from typing import Any, Literal, TypedDict

import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor
from torch.optim import Optimizer

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.cpu import fuse_prelu
from lrfr_lightning.backbones.weights import load_weights
from lrfr_lightning.datamodules.batch import Batch, join_views, quality_of
from lrfr_lightning.heads.margin_head import MarginHead
from lrfr_lightning.tasks.base import DEFAULT_OPTIMIZER, Task
from lrfr_lightning.tasks.reference import class_means
from lrfr_lightning.tasks.shards import clip_joined_norm, join_shards, share_out
from lrfr_lightning.tasks.speed import memory_layout

_CLASSIFIER_WEIGHT = "head.classifier.weight"


class StepOutput(TypedDict):
    """What ``training_step`` hands to callbacks: the scalar loss, and embeddings ``(B, D)``."""

    loss: Tensor
    embedding: Tensor


class RecognitionTask(Task):
    """Trains a face recogniser; subclass it and override :meth:`loss` for another objective.

    ``load_from_checkpoint(path)`` rebuilds backbone and head from the checkpoint alone.

    Args:
        backbone: maps normalised images to embeddings.
        head: called with (embedding_dim, num_classes), makes the loss; for example
            ``partial(MarginHead, margin=ArcFace())``.
        num_classes: how many identities; on the command line the data's own count.
        optimizer: called with the parameters.
        lr_scheduler: called with the optimiser; None keeps the learning rate.
        lr_interval: whether the schedule counts epochs or steps; ``WarmupCosine`` always counts
            steps.
        pretrained: weight file that the backbone starts from, or ``timm`` for a timm backbone, see
            :func:`~lrfr_lightning.backbones.weights.load_weights`. It is read when a run begins
            and never for a model that comes from a checkpoint.
        channels_last: memory layout of the backbone; faster for convolutions in bf16 and fp16, and
            None takes it there. Not for networks with fewer than 12 channels in float32 on a CPU:
            there torch 2.15 corrupts memory in the backward pass of 1x1 convolutions of stride 2.
        place_identities: start the weight of each identity at the mean embedding that the
            pretrained backbone makes of its images; one that starts at random first pulls the
            backbone away from what it knows. Not for a run that goes on from a checkpoint.
        fused_prelu: train with a compiled PReLU, see :func:`~lrfr_lightning.backbones.fuse_prelu`:
            on a CPU a MobileFaceNet step takes little more than half the time.
        compile_backbone: train with the backbone compiled by ``torch.compile``; the first steps
            take minutes, a checkpoint is the same.
        lr_base_batch: images in an optimiser step for which the learning rate was chosen: the rate
            grows in proportion with the trainer's own, batch_size x ranks x accumulated batches,
            see :func:`~lrfr_lightning.tasks.speed.scale_learning_rate`; None leaves it as it is.
    """

    def __init__(
        self,
        backbone: Backbone,
        head: Callable[[int, int], MarginHead],
        num_classes: int,
        optimizer: OptimizerCallable = DEFAULT_OPTIMIZER,
        lr_scheduler: LRSchedulerCallable | None = None,
        lr_interval: Literal["epoch", "step"] = "epoch",
        pretrained: str | None = None,
        channels_last: bool | None = None,
        place_identities: bool = False,
        fused_prelu: bool = False,
        compile_backbone: bool = False,
        lr_base_batch: int | None = None,
    ) -> None:
        super().__init__(optimizer, lr_scheduler, lr_interval, lr_base_batch)
        self.backbone = backbone
        if fused_prelu:
            fuse_prelu(self.backbone)
        self.num_classes = num_classes
        self.head = head(backbone.embedding_dim, num_classes)
        self.pretrained = pretrained
        self.place_identities = place_identities
        self.channels_last = channels_last
        self.compile_backbone = compile_backbone
        self._lay_out("32-true")
        self._has_weights = False

    def _lay_out(self, precision: str) -> None:
        self._layout = memory_layout(self.backbone, self.channels_last, precision)
        self.backbone.to(memory_format=self._layout)

    def setup(self, stage: str) -> None:
        """Choose the memory layout for the trainer's precision; compile."""
        self._lay_out(str(self.trainer.precision))
        if self.compile_backbone and stage == "fit":
            self.backbone.compile()

    def configure_model(self) -> None:
        """Share the identities' weights out over the ranks, where the classifier does that."""
        self.head.classifier.share_out()
        if self._shared_out:
            # each rank trains rows of its own: DDP must neither copy nor average them
            self._ddp_params_and_buffers_to_ignore = {_CLASSIFIER_WEIGHT}

    @property
    def _shared_out(self) -> bool:
        return len(self.head.classifier.rows) < self.num_classes

    def on_fit_start(self) -> None:
        """Note the seed, start from the pretrained backbone, place the identities' weights.

        Raises:
            ConfigError: they are to be placed and there is no data module to list the images.
        """
        super().on_fit_start()
        fresh = not self._has_weights
        self._start_from_pretrained()
        if self.place_identities and fresh:
            embedding, label = self.reference()
            rows = self.head.classifier.rows
            own = torch.where((label >= rows.start) & (label < rows.stop), label - rows.start, -1)
            means = class_means(embedding, own, len(rows)).to(self.device)
            known = means.any(dim=1)  # all the images of an identity may be unreadable
            with torch.no_grad():
                self.head.classifier.weight[known] = means[known]

    def reference(self) -> tuple[Tensor, Tensor]:
        """Embeddings and labels of all training images before training, float16 ``(N, D)``."""
        return self.embed_training_images(self.backbone)

    def on_validation_start(self) -> None:
        """Start from the pretrained backbone, where nothing was trained before."""
        self._start_from_pretrained()

    def on_test_start(self) -> None:
        """As :meth:`on_validation_start`."""
        self._start_from_pretrained()

    def on_predict_start(self) -> None:
        """As :meth:`on_validation_start`."""
        self._start_from_pretrained()

    def weight_files(self) -> dict[str, tuple[Backbone, str]]:
        """The pretrained backbone's."""
        return {"pretrained": (self.backbone, self.pretrained)} if self.pretrained else {}

    def _start_from_pretrained(self) -> None:
        """Load the weight file once, after Lightning has restored any checkpoint."""
        if self.pretrained and not self._has_weights:
            load_weights(self.backbone, self.pretrained)
        self._has_weights = True

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Join the identities' weights of all ranks."""
        if self._shared_out:
            join_shards(checkpoint, _CLASSIFIER_WEIGHT, self.head.classifier, self.trainer)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Note that the weights come from a checkpoint, and take this rank's rows of them."""
        self._has_weights = True
        super().on_load_checkpoint(checkpoint)
        self.head.classifier.share_out()
        share_out(checkpoint, self.head.classifier)

    def forward(self, image: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → un-normalised embeddings ``(B, D)``."""
        pixels = self.backbone.pixel_spec.normalise(image)
        embedding: Tensor = self.backbone(pixels.contiguous(memory_format=self._layout))
        return embedding

    def loss(self, embedding: Tensor, batch: Batch) -> Tensor:
        """What is minimised; the method to override.

        Args:
            embedding: ``(B, D)``, un-normalised.
            batch: see :class:`~lrfr_lightning.datamodules.batch.Batch`.

        Returns:
            Scalar.
        """
        quality = quality_of(batch, self.head.margin.quality_key)
        value: Tensor = self.head(embedding, batch["label"], quality)
        return value

    def training_step(self, batch: Batch, batch_idx: int) -> StepOutput:
        """Embed all views of the batch and log ``train/loss``."""
        batch = join_views(batch)
        embedding = self(batch["image"])
        loss = self.loss(embedding, batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(embedding))
        return StepOutput(loss=loss, embedding=embedding.detach())

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """Embeddings ``(B, D)`` with the label and the index of each image."""
        embedding = self(batch["image"])
        return {"embedding": embedding, "label": batch["label"], "index": batch["index"]}

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """As the trainer says; a norm is that of all ranks' identities."""
        if gradient_clip_val and gradient_clip_algorithm != "value" and self._shared_out:
            clip_joined_norm(self, self.head.classifier.weight, gradient_clip_val)
        else:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
