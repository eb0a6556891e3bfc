import copy
import math

import numpy as np
import pytest
import torch

from lrfr_lightning.heads import ArcFace, CosFace, Margin, MarginHead, SphereFace
from lrfr_lightning.utils.errors import ConfigError

MARGINS = [
    pytest.param(CosFace(), id="cosface"),
    pytest.param(ArcFace(), id="arcface"),
    pytest.param(ArcFace(gradient="detached"), id="detached"),
    pytest.param(SphereFace(), id="sphereface"),
]


class ByResolution(Margin):
    """Takes from the cosine what the batch says, and adds the norm to the loss."""

    quality_key = "resolution"

    def __init__(self) -> None:
        super().__init__(scale=10.0)

    def forward(self, cosine, norm, quality=None):
        return cosine - quality

    def regulariser(self, norm):
        return norm


def make_head(margin, dim=8, classes=5):
    torch.manual_seed(0)
    return MarginHead(dim, classes, copy.deepcopy(margin))


def batch(size=6, dim=8, classes=5, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    embedding = torch.randn(size, dim, generator=generator, dtype=dtype)
    return embedding, torch.randint(classes, (size,), generator=generator)


def naive_loss(head, embedding, label):
    """The paper's softmax on full one-hot matrices, in float64 NumPy."""
    x = embedding.detach().double().numpy()
    w = head.classifier.weight.detach().double().numpy()
    cosine = x @ w.T / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(w, axis=1)
    with_margin = head.margin(torch.from_numpy(cosine.ravel()), None).numpy().reshape(cosine.shape)
    one_hot = np.eye(len(w))[label]
    logits = head.margin.scale * (one_hot * with_margin + (1 - one_hot) * cosine)
    log_softmax = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return -(one_hot * log_softmax).sum(axis=1).mean()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("margin", MARGINS)
def test_equals_one_hot_softmax(margin, dtype):
    head, (embedding, label) = make_head(margin), batch()
    embedding = embedding.to(dtype)
    loss = head(embedding, label)
    assert loss.shape == ()
    assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert loss.item() == pytest.approx(naive_loss(head, embedding, label), rel=1e-5)


@pytest.mark.parametrize("margin", MARGINS)
def test_batch_of_one(margin):
    head, (embedding, label) = make_head(margin), batch(1)
    assert head(embedding, label).item() == pytest.approx(
        naive_loss(head, embedding, label), rel=1e-5
    )


@pytest.mark.parametrize("margin", MARGINS)
def test_loss_rises_with_the_angle_from_0_to_pi(margin):
    head = make_head(margin, dim=2, classes=2)
    head.double()
    with torch.no_grad():
        head.classifier.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    theta = torch.linspace(0, math.pi, 91, dtype=torch.float64)
    faces = torch.stack([theta.cos(), theta.sin()], dim=1)
    losses = torch.stack([head(face[None], torch.zeros(1, dtype=torch.int64)) for face in faces])
    assert losses.isfinite().all()
    assert losses.diff().min() >= 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("margin", MARGINS)
def test_gradients_are_finite_at_the_extremes(margin, dtype):
    head = make_head(margin)
    own = head.classifier.weight.detach()[:2].to(dtype)
    embedding = torch.cat([own, -own, 1e4 * own]).requires_grad_()
    loss = head(embedding, torch.tensor([0, 1, 0, 1, 0, 1]))
    loss.backward()
    assert loss.isfinite()
    assert embedding.grad.isfinite().all()
    assert head.classifier.weight.grad.isfinite().all()


@pytest.mark.parametrize("margin", MARGINS)
def test_gradients_are_finite_for_an_embedding_of_zeros(margin):
    head = make_head(margin)
    embedding = torch.zeros(2, 8, requires_grad=True)
    head(embedding, torch.tensor([0, 1])).backward()
    assert embedding.grad.isfinite().all()
    assert head.classifier.weight.grad.isfinite().all()


@pytest.mark.parametrize("margin", [CosFace(), ArcFace(), SphereFace()])
def test_exact_gradient_of_embedding_and_weights(margin):
    head, (embedding, label) = make_head(margin).double(), batch(4, dtype=torch.float64)
    label[0] = -1
    weight = head.classifier.weight.detach()

    def loss(x, w):
        return torch.func.functional_call(head, {"classifier.weight": w}, (x, label))

    assert torch.autograd.gradcheck(loss, (embedding.requires_grad_(), weight.requires_grad_()))


@pytest.mark.parametrize("margin", MARGINS)
def test_unlabelled_samples_contribute_nothing(margin):
    head, (embedding, label) = make_head(margin), batch()
    mixed = torch.cat([torch.full((2, 8), 3.0), embedding]).requires_grad_()
    loss = head(mixed, torch.cat([torch.tensor([-1, -1]), label]))
    loss.backward()
    torch.testing.assert_close(loss, head(embedding, label))
    assert torch.equal(mixed.grad[:2], torch.zeros(2, 8))
    assert (mixed.grad[2:] != 0).any()


@pytest.mark.parametrize("margin", [*MARGINS, pytest.param(ByResolution(), id="quality")])
def test_no_label_at_all_is_a_zero_loss_that_can_be_differentiated(margin):
    head, (embedding, _) = make_head(margin), batch()
    embedding.requires_grad_()
    loss = head(embedding, torch.full((6,), -1), torch.zeros(6))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(embedding.grad, torch.zeros(6, 8))
    assert torch.equal(head.classifier.weight.grad, torch.zeros(5, 8))


@pytest.mark.parametrize("margin", MARGINS)
def test_autocast_does_not_lower_the_precision(margin):
    head, (embedding, label) = make_head(margin), batch()
    expected = head(embedding, label)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = head(embedding, label)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, expected)


def test_weights_in_bfloat16_still_give_a_float32_loss():
    head, (embedding, label) = make_head(ArcFace()).bfloat16(), batch()
    loss = head(embedding.bfloat16(), label)
    assert loss.dtype == torch.float32
    expected = naive_loss(head, embedding.bfloat16(), label)
    assert loss.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("margin", MARGINS)
def test_eval_mode_changes_no_buffer(margin):
    head, (embedding, label) = make_head(margin).eval(), batch()
    before = copy.deepcopy(head.state_dict())
    head(embedding, label)
    assert all(torch.equal(before[name], value) for name, value in head.state_dict().items())


def test_quality_and_regulariser_reach_the_loss_of_labelled_samples():
    head, (embedding, label) = make_head(ByResolution()), batch(3)
    label[1] = -1
    quality = torch.tensor([0, 7, 1])
    keep = [0, 2]
    cosine = head.classifier(embedding[keep])
    logits = 10 * (cosine - quality[keep, None] * torch.eye(5)[label[keep]])
    expected = torch.nn.functional.cross_entropy(logits, label[keep])
    expected = expected + embedding[keep].norm(dim=1).mean()
    torch.testing.assert_close(head(embedding, label, quality), expected)


def test_a_quality_that_did_not_come_is_named():
    head, (embedding, label) = make_head(ByResolution()), batch()
    with pytest.raises(ConfigError, match="ByResolution needs the batch entry 'resolution'"):
        head(embedding, label)
