"""Fine-tuning with the Octuplet loss."""

from collections.abc import Callable
from typing import Literal

from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.datamodules.batch import Batch, split_views
from lrfr_lightning.functional.octuplet import Metric, octuplet
from lrfr_lightning.heads.margin_head import MarginHead
from lrfr_lightning.tasks.recognition import DEFAULT_OPTIMIZER, RecognitionTask


class OctupletTask(RecognitionTask):
    """Pulls the images of an identity together within and across resolutions, no classifier needed.

    Knoche et al., 2207.06726, FG 2023; see :func:`lrfr_lightning.functional.octuplet.octuplet`.
    It fine-tunes a trained model (``pretrained``) on pairs of views, with
    ``data.images_per_identity`` of at least 2. Logs ``train/octuplet``.

    Args:
        backbone: see :class:`RecognitionTask`, as for all that is not named here.
        head: trained only where ``softmax_weight`` is above 0, else frozen.
        num_classes: how many identities.
        optimizer: called with the parameters that are trained.
        lr_scheduler: called with the optimiser.
        lr_interval: whether the schedule counts epochs or steps.
        pretrained: weight file that the backbone starts from.
        channels_last: memory layout of the backbone.
        margin: between the distances of positive and negative, in units of ``metric``.
        metric: ``euclidean``, ``squared`` or ``cosine``, of unit embeddings.
        softmax_weight: of the head's loss over both views, added to the octuplet loss; the paper
            has none.
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
        channels_last: bool = False,
        margin: float = 0.5,
        metric: Metric = "euclidean",
        softmax_weight: float = 0.0,
    ) -> None:
        super().__init__(
            backbone,
            head,
            num_classes,
            optimizer,
            lr_scheduler,
            lr_interval,
            pretrained,
            channels_last,
        )
        self.margin = margin
        self.metric = metric
        self.softmax_weight = softmax_weight
        # DDP waits for the gradient of everything that can be trained
        self.head.requires_grad_(softmax_weight > 0)

    def loss(self, embedding: Tensor, batch: Batch) -> Tensor:
        """Octuplet loss of the two views, and the head's.

        Raises:
            ConfigError: the batch does not hold two views of the same images.
        """
        high, low, label = split_views(embedding, batch)
        value = octuplet(high, low, label, self.margin, self.metric)
        self.log("train/octuplet", value, batch_size=len(label))
        if self.softmax_weight > 0:
            value = value + self.softmax_weight * super().loss(embedding, batch)
        return value
