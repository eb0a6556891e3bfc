"""The layers that train faster on a CPU compute what torch's own compute."""

import copy

import pytest
import torch
from torch import nn

from lrfr_lightning.backbones import MobileFaceNet, fuse_prelu
from lrfr_lightning.backbones.cpu import DepthwiseConv2d, PReLU
from lrfr_lightning.utils.errors import ConfigError


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_convolution_equals_torchs(stride):
    torch.manual_seed(0)
    ours = DepthwiseConv2d(6, 3, stride)
    theirs = nn.Conv2d(6, 6, 3, stride, 1, groups=6, bias=False)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 6, 9, 8)
    assert torch.equal(ours(x), theirs(x))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y, expected = ours(x.bfloat16()), theirs(x.bfloat16())
    assert y.dtype == expected.dtype == torch.bfloat16
    torch.testing.assert_close(y, expected, rtol=2e-2, atol=1e-2)


def test_strided_depthwise_convolution_in_pure_bfloat16():
    conv = DepthwiseConv2d(6, 3, 2).bfloat16()
    y = conv(torch.randn(2, 6, 8, 8).bfloat16())
    y.float().sum().backward()
    assert y.dtype == conv.weight.grad.dtype == torch.bfloat16


def test_fused_prelu_equals_torchs_in_value_and_gradient():
    torch.manual_seed(0)
    ours, theirs = nn.Sequential(PReLU(5)), nn.PReLU(5)
    with torch.no_grad():
        ours[0].weight.copy_(torch.tensor([-0.5, 0.0, 0.25, 1.0, 2.0]))
        theirs.weight.copy_(ours[0].weight)
    fuse_prelu(ours)
    for shape in [(4, 5, 6, 7), (3, 5, 2, 2)]:
        x = torch.randn(shape)
        gradients = []
        for layer in (ours, theirs):
            layer.zero_grad()
            leaf = x.clone().requires_grad_()
            y = layer(leaf)
            (y * y).sum().backward()
            gradients.append((y, leaf.grad, next(layer.parameters()).grad))
        torch.testing.assert_close(*gradients)


def test_fused_prelu_of_a_frozen_network():
    torch.manual_seed(0)
    layer = nn.Sequential(PReLU(5)).eval().requires_grad_(False)
    leaves = [torch.randn(4, 5, 6, 7).requires_grad_() for _ in range(2)]
    leaves[1].data.copy_(leaves[0].data)
    layer(leaves[0]).square().sum().backward()
    fuse_prelu(layer)
    layer(leaves[1]).square().sum().backward()
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad)
    assert (layer[0].weight.grad, layer[0].weight.requires_grad) == (None, False)


def test_a_fused_network_can_be_copied_and_evaluated():
    network = MobileFaceNet()
    names = list(network.state_dict())
    fuse_prelu(network)
    twin = copy.deepcopy(network).eval()
    images = torch.randn(2, 3, 112, 96)
    assert list(twin.state_dict()) == names
    with torch.inference_mode():
        assert torch.equal(twin(images), network.eval()(images))


def test_a_missing_compiler_is_named(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigError, match="there is no 'no-such-compiler' on the PATH"):
        fuse_prelu(MobileFaceNet())
