from pathlib import Path

import pytest
import torch
from torch.nn.functional import cosine_similarity

from lrfr_lightning.backbones import MobileFaceNet, load_weights
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError

PAIRS_PER_KIND = 30


def test_has_the_parameters_of_the_paper():
    assert sum(p.numel() for p in MobileFaceNet().parameters()) == 999_552


@pytest.mark.parametrize(("size", "kernel"), [((112, 96), (7, 6)), ((112, 112), (7, 7))])
def test_the_global_kernel_covers_the_last_map(size, kernel):
    backbone = MobileFaceNet(embedding_dim=64, pixel_spec=PixelSpec(size=size)).eval()
    assert backbone.linear7.conv.kernel_size == kernel
    assert backbone(torch.zeros(2, 3, *size)).shape == (2, 64)


def test_its_default_input_is_the_narrow_crop():
    spec = MobileFaceNet().pixel_spec
    assert spec == PixelSpec(size=(112, 96), std=(128.0, 128.0, 128.0), fit="crop")


def test_every_tensor_is_trained():
    backbone = MobileFaceNet()
    backbone(torch.randn(2, 3, 112, 96)).square().sum().backward()
    assert all(p.grad is not None for p in backbone.parameters())


def test_other_images_are_refused():
    with pytest.raises(ConfigError, match=r"\(B, 3, 112, 96\), floating point; got \(1, 3, 112, 1"):
        MobileFaceNet()(torch.zeros(1, 3, 112, 112))


def first_pairs(folder: Path) -> list[tuple[str, str]]:
    """The first pairs of LFW View 1's test list: genuine ones, then impostors."""
    rows = [line.split() for line in (folder / "pairsDevTest.txt").read_text().splitlines()[1:]]
    genuine = [(row[0], row[1], row[0], row[2]) for row in rows if len(row) == 3]
    impostor = [tuple(row) for row in rows if len(row) == 4]
    chosen = genuine[:PAIRS_PER_KIND] + impostor[:PAIRS_PER_KIND]
    return [(f"{a}/{a}_{int(i):04d}.jpg", f"{b}/{b}_{int(j):04d}.jpg") for a, i, b, j in chosen]


@pytest.mark.real
def test_published_weights_tell_people_apart(lrfr_data: Path):
    import numpy as np
    from PIL import Image

    backbone = MobileFaceNet().eval()
    load_weights(backbone, lrfr_data / "weights" / "mobilefacenet-casia.safetensors")
    folder = lrfr_data / "lfw-112"
    names = [name for pair in first_pairs(folder) for name in pair]
    pixels = np.stack([np.asarray(Image.open(folder / "images" / name)) for name in names])
    with torch.no_grad():
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        embeddings = backbone(backbone.pixel_spec.normalise(images))

    scores = cosine_similarity(embeddings[0::2], embeddings[1::2])
    genuine = torch.arange(len(scores)) < PAIRS_PER_KIND
    accuracy = max(((scores >= t) == genuine).float().mean().item() for t in scores)
    assert accuracy > 0.95
    assert not embeddings.norm(dim=1).allclose(torch.ones(len(names)))
