"""Training on both versions of each image, with a loss between their embeddings."""

from collections.abc import Callable
from typing import Literal

from pytorch_lightning.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.datamodules.batch import Batch, split_views
from lrfr_lightning.functional.siamese import feature_loss
from lrfr_lightning.heads.margin_head import MarginHead
from lrfr_lightning.tasks.recognition import DEFAULT_OPTIMIZER, RecognitionTask


class SiameseTask(RecognitionTask):
    """The head's loss over both views, and ``feature_weight · mean(1 - cos(HR, LR))``.

    ST of Knoche et al., 2021 (2107.03769), or ST-M where the data draws several resolutions. The
    network is the same for both views. Logs ``train/feature``.

    Args:
        backbone: see :class:`RecognitionTask`, as for all that is not named here.
        head: makes the loss over identities.
        num_classes: how many identities.
        optimizer: called with the parameters.
        lr_scheduler: called with the optimiser.
        lr_interval: whether the schedule counts epochs or steps.
        pretrained: weight file that the backbone starts from.
        channels_last: memory layout of the backbone.
        feature_weight: of the distance between the two embeddings of an image.
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
        feature_weight: float = 1.0,
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
        self.feature_weight = feature_weight

    def loss(self, embedding: Tensor, batch: Batch) -> Tensor:
        """Loss over identities and between the views.

        Raises:
            ConfigError: the batch does not hold two views of the same images.
        """
        high, low, label = split_views(embedding, batch)
        feature = feature_loss(high, low)
        self.log("train/feature", feature, batch_size=len(label))
        return super().loss(embedding, batch) + self.feature_weight * feature
