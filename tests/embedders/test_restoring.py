"""A resolver before a recogniser, as one model."""

import pytest
import torch
from torch import Tensor

from lrfr_lightning.embedders import CallableEmbedder, MeanColour, RawPixels, RestoringEmbedder
from lrfr_lightning.embedders import evaluate as evaluate_model
from lrfr_lightning.preprocessing import Bicubic, SuperResolver
from lrfr_lightning.protocols import EmbeddedVerification


class Negative(SuperResolver):
    """Restores nothing but shows that it was asked."""

    name = "negative"

    def restore(self, faces: Tensor) -> Tensor:
        return 255 - faces.float()

    def to(self, device: torch.device) -> None:
        self.device = device


def test_it_embeds_what_the_resolver_restores() -> None:
    images = torch.randint(0, 256, (3, 3, 112, 112), dtype=torch.uint8)
    negative = RestoringEmbedder(Negative(), MeanColour())
    assert negative.name == "negative+mean-colour"
    assert torch.equal(negative.embed(images), MeanColour().embed(255 - images.float()))
    negative.to(torch.device("cpu"))
    assert negative.resolver.device == torch.device("cpu")


def test_bicubic_is_the_recogniser_alone(protocol: EmbeddedVerification) -> None:
    alone = evaluate_model(RawPixels(), protocol)
    restored = evaluate_model(RestoringEmbedder(Bicubic(), RawPixels(), "raw-pixels"), protocol)
    for one, other in zip(restored, alone, strict=True):
        assert one.metrics == pytest.approx(other.metrics, nan_ok=True)


def test_its_fingerprint_is_that_of_both() -> None:
    class Known(CallableEmbedder):
        def fingerprint(self) -> str:
            return "model"

    known = Known(lambda x: x.mean((2, 3)), "known")
    both = RestoringEmbedder(Bicubic(), known).fingerprint()
    assert both not in (None, "model")
    assert RestoringEmbedder(Negative(), known).fingerprint() is None
    assert RestoringEmbedder(Bicubic(), RawPixels()).fingerprint() is None
