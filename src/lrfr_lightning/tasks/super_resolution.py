"""Training of a resolver, towards the pixels and towards the identity of the original face."""

from functools import partial
from typing import Any

import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor
from torch.optim import Adam

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.cpu import fuse_prelu
from lrfr_lightning.backbones.weights import load_weights
from lrfr_lightning.datamodules.batch import Batch
from lrfr_lightning.functional.restoration import charbonnier
from lrfr_lightning.functional.siamese import feature_loss
from lrfr_lightning.preprocessing.resolver_network import ResolverNetwork
from lrfr_lightning.tasks.base import Task
from lrfr_lightning.tasks.speed import memory_layout
from lrfr_lightning.utils.errors import ConfigError

_OPTIMIZER = partial(Adam, lr=1e-3)


class SuperResolutionTask(Task):
    """``pixel_weight · Charbonnier + identity_weight · mean(1 - cos(restored, original))``.

    The cosine is that of the embeddings which a frozen recogniser makes of the two faces: the
    gradient goes through it to the pixels and on to the resolver (ours, after the field's
    practice). With ``identity_weight`` 0 the recogniser is not used at all. Batches are pairs of
    views (``views: pair``). Logs ``train/pixel``, in shares of the 255 grey levels, and
    ``train/identity``.

    Args:
        resolver: the network that is trained.
        recogniser: the frozen network, in eval mode.
        recogniser_weights: its weight file; it is never part of a checkpoint.
        identity_weight: of the distance to the original's embedding.
        pixel_weight: of the distance to the original's pixels.
        optimizer: called with the resolver's parameters.
        channels_last: memory layout of the two networks, see
            :class:`~lrfr_lightning.tasks.RecognitionTask`.
        fused_prelu: a compiled PReLU in the recogniser, see
            :func:`~lrfr_lightning.backbones.fuse_prelu`.
        arguments: of :class:`~lrfr_lightning.tasks.base.Task`.

    Raises:
        ConfigError: a weight is negative, or both are 0.
    """

    def __init__(
        self,
        resolver: ResolverNetwork,
        recogniser: Backbone,
        recogniser_weights: str,
        identity_weight: float = 1.0,
        pixel_weight: float = 1.0,
        optimizer: OptimizerCallable = _OPTIMIZER,
        channels_last: bool | None = None,
        fused_prelu: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__(optimizer, **arguments)
        if min(identity_weight, pixel_weight) < 0 or identity_weight + pixel_weight == 0:
            raise ConfigError(
                "identity_weight and pixel_weight: expected at least 0 and not both 0, got "
                f"{identity_weight} and {pixel_weight}"
            )
        self.resolver = resolver
        # in a tuple, so that it is no submodule: nothing of it is trained or saved
        self._recogniser = (recogniser.requires_grad_(False).eval(),)
        if fused_prelu:
            fuse_prelu(recogniser)
        self.recogniser_weights = recogniser_weights
        self.identity_weight = identity_weight
        self.pixel_weight = pixel_weight
        self.channels_last = channels_last

    def weight_files(self) -> dict[str, tuple[Backbone, str]]:
        """The recogniser's, where it is used."""
        recogniser = {"recogniser_weights": (self._recogniser[0], self.recogniser_weights)}
        return recogniser if self.identity_weight > 0 else {}

    def on_fit_start(self) -> None:
        """Load the recogniser, choose the memory layout for the trainer's precision."""
        super().on_fit_start()
        precision = str(self.trainer.precision)
        self._layout = memory_layout(self.resolver, self.channels_last, precision)
        self.resolver.to(memory_format=self._layout)
        if self.identity_weight > 0:
            recogniser = self._recogniser[0]
            load_weights(recogniser, self.recogniser_weights)
            recogniser.to(self.device).to(memory_format=self._layout)

    def forward(self, image: Tensor) -> Tensor:
        """Enlarged faces ``(B, 3, 112, 112)`` RGB, 0..255 → restored ones, float."""
        restored: Tensor = self.resolver(image.float().contiguous(memory_format=self._layout))
        return restored

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Restore the degraded view, compare it with the other, log ``train/loss``.

        Raises:
            ConfigError: the batch does not hold two views of each image.
        """
        if "image_lr" not in batch:
            raise ConfigError(
                "SuperResolutionTask trains on pairs of views, got one view of each image; set "
                "data.cross_resolution.init_args.views: pair"
            )
        restored = self(batch["image_lr"])
        pixel = charbonnier(restored, batch["image"])
        self.log("train/pixel", pixel, batch_size=len(restored))
        loss = self.pixel_weight * pixel
        if self.identity_weight > 0:
            identity = self.identity_loss(restored, batch["image"])
            self.log("train/identity", identity, batch_size=len(restored))
            loss = loss + self.identity_weight * identity
        self.log("train/loss", loss, prog_bar=True, batch_size=len(restored))
        return loss

    def identity_loss(self, restored: Tensor, original: Tensor) -> Tensor:
        """``mean(1 - cos)`` between what the recogniser makes of two faces.

        Args:
            restored: ``(B, 3, 112, 112)``, float; what leaves 0..255 is cut off.
            original: ``(B, 3, 112, 112)``, 0..255; no gradient goes there.

        Returns:
            Scalar, 0..2.
        """
        with torch.no_grad():
            target = self._embed(original)
        return feature_loss(self._embed(restored.clamp(0, 255)), target)

    def _embed(self, faces: Tensor) -> Tensor:
        recogniser = self._recogniser[0]
        pixels = recogniser.pixel_spec.normalise(faces)
        embedding: Tensor = recogniser(pixels.contiguous(memory_format=self._layout))
        return embedding
