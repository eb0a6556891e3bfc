"""The LightningModule: a backbone and a head, trained by classification of identities."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, TypedDict

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from pytorch_lightning.core.mixins import hparams_mixin
from torch import Tensor
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.cpu import fuse_prelu
from lrfr_lightning.backbones.weights import load_weights
from lrfr_lightning.datamodules.batch import Batch, join_views, quality_of
from lrfr_lightning.heads.margin_head import MarginHead
from lrfr_lightning.tasks.reference import class_means, reference_embeddings
from lrfr_lightning.tasks.resume import finish_epoch, seed_step
from lrfr_lightning.tasks.schedules import WarmupCosine
from lrfr_lightning.tasks.shards import clip_joined_norm, join_shards, share_out
from lrfr_lightning.tasks.speed import memory_layout, scale_learning_rate
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.recipe import Recorded, describe

_CLASSIFIER_WEIGHT = "head.classifier.weight"

DEFAULT_OPTIMIZER = partial(SGD, lr=0.1, momentum=0.9, weight_decay=1e-4)
"""The slides' optimiser."""


class StepOutput(TypedDict):
    """What ``training_step`` hands to callbacks: the scalar loss, and embeddings ``(B, D)``."""

    loss: Tensor
    embedding: Tensor


class RecognitionTask(Recorded, pl.LightningModule):
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
        super().__init__()
        self._remember()
        self.backbone = backbone
        if fused_prelu:
            fuse_prelu(self.backbone)
        self.num_classes = num_classes
        self.head = head(backbone.embedding_dim, num_classes)
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.lr_interval = lr_interval
        self.pretrained = pretrained
        self.place_identities = place_identities
        self.channels_last = channels_last
        self.compile_backbone = compile_backbone
        self.lr_base_batch = lr_base_batch
        self._lay_out("32-true")
        self._has_weights = False

    def _remember(self) -> None:
        """Keep the constructor's arguments as plain data, for the checkpoint."""
        if hparams_mixin._given_hyperparameters.get() is not None:
            self.save_hyperparameters(logger=False)  # the command line's own, plain already
            return
        arguments: dict[str, Any] = describe(self.init_arguments)
        self.save_hyperparameters(
            {"_instantiator": "pytorch_lightning.cli.instantiate_module", **arguments},
            logger=False,
        )

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
        self._seed = torch.initial_seed()
        fresh = not self._has_weights
        self._start_from_pretrained()
        if self.place_identities and fresh:
            embedding, label = self.reference()
            rows = self.head.classifier.rows
            own = torch.where((label >= rows.start) & (label < rows.stop), label - rows.start, -1)
            with torch.no_grad():
                self.head.classifier.weight.copy_(class_means(embedding, own, len(rows)))

    def reference(self) -> tuple[Tensor, Tensor]:
        """Embeddings and labels of all training images before training, float16 ``(N, D)``."""
        return self.embed_training_images(self.backbone)

    def embed_training_images(self, network: Backbone) -> tuple[Tensor, Tensor]:
        """What ``network`` makes of them, see :func:`reference_embeddings`.

        Raises:
            ConfigError: the run has no data module.
        """
        data = getattr(self.trainer, "datamodule", None)
        if data is None:
            raise ConfigError(
                f"{type(self).__name__} looks at all training images before it trains; it needs "
                "a data module such as FaceDataModule, not a bare loader"
            )
        context = self.trainer.precision_plugin.forward_context
        return reference_embeddings(network, data.predict_dataloader(), context)

    def on_validation_start(self) -> None:
        """Start from the pretrained backbone, where nothing was trained before."""
        self._start_from_pretrained()

    def on_test_start(self) -> None:
        """As :meth:`on_validation_start`."""
        self._start_from_pretrained()

    def on_predict_start(self) -> None:
        """As :meth:`on_validation_start`."""
        self._start_from_pretrained()

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
        finish_epoch(checkpoint)
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

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed dropout, and free the last step's gradients before the forward pass.

        Lightning frees them after it: on a CPU their memory then goes back to the system in every
        step and comes anew, a tenth of the step's time and more.
        """
        if batch_idx % self.trainer.accumulate_grad_batches == 0:
            for optimizer in self.trainer.optimizers:
                optimizer.zero_grad()
        seed_step(self._seed, self.global_rank, self.trainer.fit_loop.total_batch_idx)

    def training_step(self, batch: Batch, batch_idx: int) -> StepOutput:
        """Embed all views of the batch and log ``train/loss``."""
        batch = join_views(batch)
        embedding = self(batch["image"])
        loss = self.loss(embedding, batch)
        self.log("train/loss", loss, prog_bar=True, batch_size=len(embedding))
        return StepOutput(loss=loss, embedding=embedding.detach())

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """Nothing: training and test share no person, callbacks run whole protocols instead."""

    def test_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """As :meth:`validation_step`."""

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Tensor]:
        """Embeddings ``(B, D)`` with the label and the index of each image."""
        embedding = self(batch["image"])
        return {"embedding": embedding, "label": batch["label"], "index": batch["index"]}

    def configure_optimizers(self) -> Any:
        """Optimiser and schedule as given to the constructor."""
        optimizer: Optimizer = self.optimizer(p for p in self.parameters() if p.requires_grad)
        if self.lr_base_batch is not None:
            scale_learning_rate(optimizer, self.lr_base_batch, self._global_batch())
        if self.lr_scheduler is None:
            return optimizer
        schedule = self.lr_scheduler(optimizer)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": self._interval(schedule)},
        }

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

    def _global_batch(self) -> int:
        """Images in an optimiser step, over all ranks and accumulated.

        Raises:
            ConfigError: the run has no data module that knows its batch size.
        """
        batch_size = getattr(getattr(self.trainer, "datamodule", None), "batch_size", None)
        if batch_size is None:
            raise ConfigError(
                "lr_base_batch needs a data module with a batch_size, such as FaceDataModule, and "
                "got a bare loader; leave lr_base_batch out and set the learning rate itself"
            )
        return int(batch_size) * self.trainer.world_size * self.trainer.accumulate_grad_batches

    def _interval(self, schedule: LRScheduler | Any) -> str:
        if not isinstance(schedule, WarmupCosine):
            return self.lr_interval
        if schedule.total_steps is None:
            schedule.set_total_steps(int(self.trainer.estimated_stepping_batches))
        return "step"
