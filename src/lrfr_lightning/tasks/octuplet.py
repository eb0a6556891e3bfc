"""Fine-tuning with the Octuplet loss."""

from typing import Any

from torch import Tensor

from lrfr_lightning.datamodules.batch import Batch, split_views
from lrfr_lightning.functional.octuplet import Metric, octuplet
from lrfr_lightning.tasks.recognition import RecognitionTask
from lrfr_lightning.utils.errors import ConfigError


class OctupletTask(RecognitionTask):
    """Pulls the images of an identity together within and across resolutions, no classifier needed.

    Knoche et al., 2207.06726, FG 2023; see :func:`lrfr_lightning.functional.octuplet.octuplet`.
    It fine-tunes a trained model (``pretrained``) on pairs of views, with
    ``data.images_per_identity`` of at least 2. Logs ``train/octuplet``.

    Args:
        margin: between the distances of positive and negative, in units of ``metric``.
        metric: ``euclidean``, ``squared`` or ``cosine``, of unit embeddings.
        softmax_weight: of the head's loss over both views, added to the octuplet loss; the paper
            has none.
        arguments: of :class:`RecognitionTask`.

    Raises:
        ConfigError: ``softmax_weight`` is negative.
    """

    def __init__(
        self,
        margin: float = 0.5,
        metric: Metric = "euclidean",
        softmax_weight: float = 0.0,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        if softmax_weight < 0:
            raise ConfigError(f"softmax_weight: expected >= 0, got {softmax_weight}")
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
