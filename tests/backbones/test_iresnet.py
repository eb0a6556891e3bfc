import subprocess
import sys

import pytest
import torch
from torch.nn.functional import batch_norm, conv2d, linear, prelu

from lrfr_lightning.backbones import IResNet, load_weights
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError


def insightface_shapes(blocks, width=64, dim=512):
    """Name → shape of every tensor of an InsightFace ``arcface_torch`` iresnet at 112x112."""

    def bn(name, channels):
        parts = ("weight", "bias", "running_mean", "running_var")
        return {f"{name}.{part}": (channels,) for part in parts} | {
            f"{name}.num_batches_tracked": ()
        }

    shapes = {"conv1.weight": (width, 3, 3, 3)} | bn("bn1", width) | {"prelu.weight": (width,)}
    inner = width
    for stage, count in enumerate(blocks):
        outer = width * 2**stage
        for index in range(count):
            name = f"layer{stage + 1}.{index}"
            shapes |= bn(f"{name}.bn1", inner) | bn(f"{name}.bn2", outer) | bn(f"{name}.bn3", outer)
            shapes[f"{name}.conv1.weight"] = (outer, inner, 3, 3)
            shapes[f"{name}.conv2.weight"] = (outer, outer, 3, 3)
            shapes[f"{name}.prelu.weight"] = (outer,)
            if index == 0:
                shapes[f"{name}.downsample.0.weight"] = (outer, inner, 1, 1)
                shapes |= bn(f"{name}.downsample.1", outer)
            inner = outer
    shapes |= bn("bn2", inner) | bn("features", dim)
    return shapes | {"fc.weight": (dim, inner * 49), "fc.bias": (dim,)}


def insightface_state(blocks, width, dim):
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in insightface_shapes(blocks, width, dim).items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(3)
        elif name.endswith("running_var"):
            state[name] = torch.rand(shape, generator=generator) + 0.5
        else:
            state[name] = torch.randn(shape, generator=generator) * 0.2
    return state | {"features.weight": torch.ones(dim)}


def plain_forward(state, blocks, images):
    """The network spelled out on a state dict, eval mode."""

    def bn(x, name):
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        return batch_norm(x, mean, var, state[f"{name}.weight"], state[f"{name}.bias"])

    x = conv2d(images, state["conv1.weight"], padding=1)
    x = prelu(bn(x, "bn1"), state["prelu.weight"])
    for stage, count in enumerate(blocks):
        for index in range(count):
            name, stride = f"layer{stage + 1}.{index}", 2 if index == 0 else 1
            y = conv2d(bn(x, f"{name}.bn1"), state[f"{name}.conv1.weight"], padding=1)
            y = prelu(bn(y, f"{name}.bn2"), state[f"{name}.prelu.weight"])
            y = bn(conv2d(y, state[f"{name}.conv2.weight"], None, stride, 1), f"{name}.bn3")
            if index == 0:
                x = conv2d(x, state[f"{name}.downsample.0.weight"], None, 2)
                x = bn(x, f"{name}.downsample.1")
            x = x + y
    x = linear(bn(x, "bn2").flatten(1), state["fc.weight"], state["fc.bias"])
    return bn(x, "features")


@pytest.mark.parametrize(
    ("depth", "blocks", "parameters"),
    [
        (18, (2, 2, 2, 2), 24_025_600),
        (34, (3, 4, 6, 3), 34_139_328),
        (50, (3, 4, 14, 3), 43_590_848),
        (100, (3, 13, 30, 3), 65_156_160),
    ],
)
def test_has_the_tensors_of_insightface(depth, blocks, parameters):
    with torch.device("meta"):
        backbone = IResNet(depth)
    shapes = {name: tuple(tensor.shape) for name, tensor in backbone.state_dict().items()}
    assert shapes == insightface_shapes(blocks)
    assert sum(p.numel() for p in backbone.parameters()) == parameters


def test_an_insightface_file_gives_the_same_embeddings(tmp_path):
    state = insightface_state((2, 2, 2, 2), width=8, dim=16)
    torch.save(state, tmp_path / "backbone.pth")
    backbone = IResNet(18, embedding_dim=16, width=8).eval()
    load_weights(backbone, tmp_path / "backbone.pth")

    images = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        embeddings = backbone(images)

    expected = plain_forward(state, (2, 2, 2, 2), images)
    torch.testing.assert_close(embeddings, expected, rtol=1e-4, atol=1e-4)
    assert backbone.bn1.num_batches_tracked == 3


@pytest.mark.parametrize(("size", "area"), [((112, 112), 49), ((112, 96), 42), ((50, 33), 12)])
def test_maps_images_to_embeddings(size, area):
    backbone = IResNet(18, embedding_dim=32, width=4, pixel_spec=PixelSpec(size=size))
    embeddings = backbone(torch.randn(2, 3, *size))
    assert embeddings.shape == (2, 32)
    assert embeddings.dtype == torch.float32
    assert backbone.embedding_dim == 32
    assert backbone.fc.in_features == 32 * area


def test_stages_halve_the_map():
    backbone = IResNet(18, width=4).eval()
    sides = []
    for layer in (backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4):
        layer.register_forward_hook(lambda *call: sides.append(tuple(call[2].shape[1:])))
    backbone(torch.zeros(1, 3, 112, 112))
    assert sides == [(4, 56, 56), (8, 28, 28), (16, 14, 14), (32, 7, 7)]


def test_every_tensor_but_the_fixed_scale_is_trained():
    backbone = IResNet(18, embedding_dim=8, width=4)
    backbone(torch.randn(4, 3, 112, 112)).square().sum().backward()
    untrained = [name for name, p in backbone.named_parameters() if p.grad is None]
    assert untrained == ["features.weight"]
    assert torch.equal(backbone.features.weight, torch.ones(8))


def test_dropout_acts_in_training_only():
    backbone = IResNet(18, embedding_dim=8, width=4, dropout=0.9)
    images = torch.randn(2, 3, 112, 112)
    assert not torch.equal(backbone(images), backbone(images))
    backbone.eval()
    assert torch.equal(backbone(images), backbone(images))


def test_default_dropout_is_the_one_of_the_recipe():
    with torch.device("meta"):
        assert IResNet(18).dropout.p == 0.4


@pytest.mark.parametrize(
    "images",
    [
        torch.zeros(1, 3, 96, 112),
        torch.zeros(1, 1, 112, 112),
        torch.zeros(3, 112, 112),
        torch.zeros(1, 3, 112, 112, dtype=torch.uint8),
    ],
)
def test_other_images_are_refused(images):
    backbone = IResNet(18, width=4)
    with pytest.raises(ConfigError, match=r"expected normalised images \(B, 3, 112, 112\)"):
        backbone(images)


def test_unknown_depth_is_refused():
    with pytest.raises(ConfigError, match=r"expected one of \[18, 34, 50, 100\], got 101"):
        IResNet(101)


def test_importing_the_package_does_not_import_timm():
    code = "import sys, lrfr_lightning.backbones; sys.exit('timm' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
