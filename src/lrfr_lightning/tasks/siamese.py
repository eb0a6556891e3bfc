"""Training on both versions of each image, with a loss between their embeddings."""

from typing import Any

from torch import Tensor

from lrfr_lightning.datamodules.batch import Batch, split_views
from lrfr_lightning.functional.siamese import feature_loss
from lrfr_lightning.tasks.recognition import RecognitionTask


class SiameseTask(RecognitionTask):
    """The head's loss over both views, and ``feature_weight · mean(1 - cos(HR, LR))``.

    ST of Knoche et al., 2021 (2107.03769), or ST-M where the data draws several resolutions. The
    network is the same for both views. Logs ``train/feature``.

    Args:
        feature_weight: of the distance between the two embeddings of an image.
        arguments: of :class:`RecognitionTask`.
    """

    def __init__(self, feature_weight: float = 1.0, **arguments: Any) -> None:
        super().__init__(**arguments)
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
