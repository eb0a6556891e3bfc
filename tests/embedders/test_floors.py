"""What is reached without a model."""

import numpy as np
import torch

from lrfr_lightning.embedders import MeanColour


def flat(*colours: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(colours)[:, :, None, None].expand(-1, -1, 112, 112)


def test_mean_colour_is_the_mean_colour_and_a_one() -> None:
    images = torch.randint(0, 256, (3, 3, 112, 112), dtype=torch.uint8)
    found = MeanColour().embed(images).numpy()
    slow = images.numpy().astype(float).mean(axis=(2, 3)) / 127.5 - 1
    np.testing.assert_allclose(found[:, :3], slow, atol=1e-6)
    assert (found[:, 3] == 1).all()


def test_the_cosine_falls_with_the_distance_of_the_colours() -> None:
    """Also along one hue and at mid-grey, where a bare difference from it would not."""
    images = flat((127.5,) * 3, (130.0,) * 3, (150.0,) * 3, (250.0,) * 3, (250.0, 0.0, 0.0))
    vectors = MeanColour().embed(images)
    cosines = torch.nn.functional.cosine_similarity(vectors[:1], vectors).tolist()
    assert cosines == sorted(cosines, reverse=True)
    assert len(set(cosines)) == 5
