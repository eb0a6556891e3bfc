"""Any network of the timm collection as a face backbone."""

import difflib
from typing import Any

from torch import Tensor, nn

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.input_check import check_images
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError


class TimmBackbone(Backbone):
    """A timm model without its ImageNet classes (https://huggingface.co/docs/timm).

    With ``embedding_dim`` the model's own classification layer (its pooling, norm and dropout
    included) becomes the embedding layer, followed by a BN1d whose weight stays 1, as in IResNet:
    a margin needs embeddings centred on zero, which pooled activations after a ReLU are not.

    Args:
        name: as in ``timm.list_models()``, for instance ``"resnet18"``; a tag of pretrained
            weights may follow (``"resnet18.a1_in1k"``).
        embedding_dim: D; None takes the pooled features as they are, D is then the model's.
        pixel_spec: the input; None takes mean and std of the model's published weights, at
            112x112 or, where the architecture fixes another size, resized to that.

    Raises:
        ConfigError: timm has no such model; ``pixel_spec`` has another size than the model fixes.
    """

    def __init__(
        self,
        name: str,
        embedding_dim: int | None = None,
        pixel_spec: PixelSpec | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.num_outputs = embedding_dim or 0
        self.model = _create(name, self.num_outputs)
        native = _native_pixels(self.model.pretrained_cfg)
        self.pixel_spec = pixel_spec or native
        if native.fit == "resize" and self.pixel_spec.size != native.size:
            raise ConfigError(
                f"timm model {name!r} has a fixed input of {native.size} px, pixel_spec says "
                f"{self.pixel_spec.size}; set size to {native.size} with fit='resize'"
            )
        # not num_features: some models widen once more before their classes
        self.embedding_dim: int = embedding_dim or self.model.head_hidden_size
        self.neck: nn.Module = nn.Identity()
        if embedding_dim is not None:
            self.neck = nn.BatchNorm1d(embedding_dim)
            self.neck.weight.requires_grad = False

    def load_published_weights(self) -> None:
        """Fill the model with timm's weights, downloaded once and then cached.

        The constructor never does so: a checkpoint rebuilds its backbone without any download.

        Raises:
            ConfigError: timm publishes no weights for this model.
        """
        try:
            published = _create(self.name, self.num_outputs, pretrained=True)
        except RuntimeError as error:
            raise ConfigError(f"timm publishes no weights for {self.name!r}: {error}") from None
        self.model.load_state_dict(published.state_dict())

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images ``(B, 3, *pixel_spec.size)`` → un-normalised embeddings ``(B, D)``.

        Raises:
            ConfigError: the images have another shape, or are not floating point.
        """
        check_images(images, self.pixel_spec)
        embedding: Tensor = self.neck(self.model(images))
        return embedding


def _create(name: str, num_classes: int, pretrained: bool = False) -> Any:
    import timm  # seconds to import, so only when a model is wanted

    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = f"close to it: {', '.join(close)}" if close else "timm.list_models() lists them all"
        raise ConfigError(f"timm has no model named {name!r}; {hint}")
    return timm.create_model(name, pretrained=pretrained, num_classes=num_classes)


def _native_pixels(config: dict[str, Any]) -> PixelSpec:
    """The model's own input: timm states mean and std for pixels 0..1, ours are for 0..255."""
    red, green, blue = (255 * value for value in config["mean"])
    red_std, green_std, blue_std = (255 * value for value in config["std"])
    mean, std = (red, green, blue), (red_std, green_std, blue_std)
    if not config.get("fixed_input_size"):
        return PixelSpec(mean=mean, std=std)
    height, width = config["input_size"][1:]
    return PixelSpec(size=(height, width), mean=mean, std=std, fit="resize")
