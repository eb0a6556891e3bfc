"""Enlarging, the compact network, and faces in a larger frame."""

import numpy as np
import pytest
import torch
from PIL import Image

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.functional.alignment import ARCFACE_TEMPLATE, similarity
from lrfr_lightning.preprocessing import Bicubic, ResolverNetwork
from lrfr_lightning.preprocessing.placing import FFHQ_SHARE, Placing
from lrfr_lightning.utils.errors import ConfigError

# landmarks of FFHQ faces of 512x512 px, as GFPGAN and GPEN align them
FFHQ = [[193.0, 239.9], [318.9, 240.2], [256.6, 314.0], [201.3, 371.4], [313.1, 371.2]]


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    """Four embedded faces, float."""
    drawn = EmbeddedFaces(4, 1)
    return torch.from_numpy(np.stack([drawn.image(i) for i in range(4)])).permute(0, 3, 1, 2)


@pytest.mark.parametrize("side", [7, 14, 56])
def test_bicubic_enlarges_as_pillow_does(faces: torch.Tensor, side: int) -> None:
    pictures = [Image.fromarray(face.permute(1, 2, 0).numpy()) for face in faces]
    small = [picture.resize((side, side), Image.Resampling.BICUBIC) for picture in pictures]
    expected = [picture.resize((112, 112), Image.Resampling.BICUBIC) for picture in small]
    stacked = torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2)
    enlarged = Bicubic().restore(stacked)
    assert (enlarged.dtype, enlarged.shape) == (torch.float32, (4, 3, 112, 112))
    assert np.array_equal(enlarged.permute(0, 2, 3, 1), np.stack(expected))
    assert torch.equal(Bicubic().restore(stacked.float() + 0.3), enlarged)


def test_bicubic_leaves_a_face_of_full_size_as_it_is(faces: torch.Tensor) -> None:
    assert torch.equal(Bicubic().restore(faces), faces.float())
    with pytest.raises(
        ConfigError, match=r"expected faces \(B, 3, H, W\), got shape \(3, 14, 14\)"
    ):
        Bicubic().restore(torch.zeros(3, 14, 14))


def test_an_untrained_network_changes_nothing(faces: torch.Tensor) -> None:
    network = ResolverNetwork(width=8, blocks=1)
    assert torch.equal(network(faces.float()), faces.float())


def test_every_weight_of_the_network_counts(faces: torch.Tensor) -> None:
    torch.manual_seed(0)
    network = ResolverNetwork(width=8, blocks=2, factor=2)
    torch.nn.init.normal_(network.tail[0].weight, std=0.1)
    restored = network(faces.float())
    assert restored.shape == faces.shape
    restored.square().mean().backward()
    assert all(weight.grad is not None and weight.grad.abs().max() > 0
               for weight in network.parameters())  # fmt: skip
    with pytest.raises(ConfigError, match="width, blocks and factor of at least 1, got 8, 0 and 4"):
        ResolverNetwork(8, 0)


def test_a_pixel_stays_in_its_place() -> None:
    """Folding and unfolding are inverse: a network that passes its input on moves no pixel."""
    network = ResolverNetwork(width=48, blocks=1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
        for layer in (network.body[1], network.tail[0]):
            layer.weight[:, :, 1, 1] = torch.eye(48)
    faces = torch.randint(0, 256, (1, 3, 112, 112)).float()
    torch.testing.assert_close(network(faces), 2 * faces - 127.5)


def test_the_frame_of_ffhq_follows_from_the_two_templates() -> None:
    transform = similarity(ARCFACE_TEMPLATE, np.array(FFHQ))
    scale = np.hypot(*transform[:, 0])
    assert 112 * scale / 512 == pytest.approx(FFHQ_SHARE, abs=2e-3)
    assert transform @ [56, 56, 1] == pytest.approx([256, 256], abs=3)


@pytest.mark.parametrize(("side", "share"), [(512, FFHQ_SHARE), (256, 1.0), (112, 0.9)])
def test_what_is_placed_can_be_taken_out_again(
    faces: torch.Tensor, side: int, share: float
) -> None:
    placing = Placing(side, share)
    placed = placing.placed(faces.float())
    assert placed.shape == (4, 3, side, side)
    assert (placing.taken(placed) - faces).abs().mean() < 2
    # a restorer that doubles the size changes nothing of it
    doubled = torch.nn.functional.interpolate(placed, scale_factor=2)
    assert (placing.taken(doubled) - faces).abs().mean() < 2


def test_a_share_out_of_range() -> None:
    with pytest.raises(ConfigError, match=r"share: expected above 0.5, up to 1, got 0.4"):
        Placing(512, 0.4)
