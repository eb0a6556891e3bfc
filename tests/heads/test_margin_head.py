import copy
import math

import numpy as np
import pytest
import torch
from paper_margins import EVERY_MARGIN, EXACT, Paper, arcface, quality_of_some

from lrfr_lightning.heads import AdaFace, ArcFace, Margin, MarginHead
from lrfr_lightning.utils.errors import ConfigError


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
    """Embeddings of norms from about 3 to 100, and labels."""
    generator = torch.Generator().manual_seed(1)
    embedding = torch.randn(size, dim, generator=generator, dtype=dtype)
    embedding *= torch.linspace(1, 40, size, dtype=dtype)[:, None]
    return embedding, torch.randint(classes, (size,), generator=generator)


def paper_loss(paper, head, embedding, label, quality):
    """The mean of the paper's loss over labelled samples, each by itself, in float64."""
    weight = head.classifier.weight.detach().double().numpy()
    values = []
    for i, x in enumerate(embedding.detach().double().numpy()):
        if label[i] >= 0:
            norm = float(np.linalg.norm(x))
            cosines = [float(x @ w / norm / np.linalg.norm(w)) for w in weight]
            one = 0.0 if quality is None else quality[i].item()
            values.append(paper.loss(cosines, int(label[i]), norm, one))
    return sum(values) / len(values)


@pytest.mark.parametrize("size", [1, 9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_equals_the_paper_sample_by_sample(margin, paper, dtype, size):
    head, (embedding, label) = make_head(margin).eval(), batch(size)
    label[1:2] = -1
    embedding = embedding.to(dtype)
    quality = quality_of_some(margin, size)
    loss = head(embedding, label, quality)
    assert loss.shape == ()
    assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    expected = paper_loss(paper, head, embedding, label, quality)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_loss_rises_with_the_angle_from_0_to_pi(margin, paper):
    head = make_head(margin, dim=2, classes=2).double().eval()
    with torch.no_grad():
        head.classifier.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    theta = torch.linspace(0, math.pi, 91, dtype=torch.float64)
    faces = torch.stack([theta.cos(), theta.sin()], dim=1)
    quality = None if margin.quality_key is None else torch.full((1,), 3.0)
    losses = [head(face[None], torch.zeros(1, dtype=torch.int64), quality) for face in faces]
    assert torch.stack(losses).isfinite().all()
    assert torch.stack(losses).diff().min() >= 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_gradients_are_finite_at_the_extremes(margin, paper, dtype):
    head = make_head(margin)
    own = head.classifier.weight.detach()[:2].to(dtype)
    embedding = torch.cat([own, -own, 1e4 * own]).requires_grad_()
    loss = head(embedding, torch.tensor([0, 1, 0, 1, 0, 1]), quality_of_some(margin, 6))
    loss.backward()
    assert loss.isfinite()
    assert embedding.grad.isfinite().all()
    assert head.classifier.weight.grad.isfinite().all()


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_gradients_are_finite_for_an_embedding_of_zeros(margin, paper):
    head = make_head(margin)
    embedding = torch.zeros(2, 8, requires_grad=True)
    head(embedding, torch.tensor([0, 1]), quality_of_some(margin, 2)).backward()
    assert embedding.grad.isfinite().all()
    assert head.classifier.weight.grad.isfinite().all()


@pytest.mark.parametrize(("margin", "paper"), EXACT)
def test_exact_gradient_of_embedding_and_weights(margin, paper):
    head, (embedding, label) = make_head(margin).double().eval(), batch(4, dtype=torch.float64)
    label[0] = -1
    quality = quality_of_some(margin, 4)
    weight = head.classifier.weight.detach().clone()

    def loss(x, w):
        return torch.func.functional_call(head, {"classifier.weight": w}, (x, label, quality))

    # AdaFace takes the norm as a constant, so that its gradient is not that of the value
    embedding.requires_grad_(not isinstance(margin, AdaFace))
    assert torch.autograd.gradcheck(loss, (embedding, weight.requires_grad_()))


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_unlabelled_samples_contribute_nothing(margin, paper):
    head, (embedding, label) = make_head(margin), batch()
    quality = quality_of_some(margin, 8)
    mixed = torch.cat([torch.full((2, 8), 3.0), embedding]).requires_grad_()
    same = copy.deepcopy(head)
    loss = head(mixed, torch.cat([torch.tensor([-1, -1]), label]), quality)
    loss.backward()
    alone = same(embedding, label, None if quality is None else quality[2:])
    torch.testing.assert_close(loss, alone)
    buffers = zip(head.buffers(), same.buffers(), strict=True)
    assert all(torch.equal(first, second) for first, second in buffers)
    assert torch.equal(mixed.grad[:2], torch.zeros(2, 8))
    assert (mixed.grad[2:] != 0).any()


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_no_label_at_all_is_a_zero_loss_that_can_be_differentiated(margin, paper):
    head, (embedding, _) = make_head(margin), batch()
    embedding.requires_grad_()
    loss = head(embedding, torch.full((6,), -1), torch.zeros(6))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(embedding.grad, torch.zeros(6, 8))
    assert torch.equal(head.classifier.weight.grad, torch.zeros(5, 8))


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_autocast_does_not_lower_the_precision(margin, paper):
    head, (embedding, label) = make_head(margin).eval(), batch()
    quality = quality_of_some(margin, 6)
    expected = head(embedding, label, quality)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = head(embedding, label, quality)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, expected)


def test_weights_in_bfloat16_still_give_a_float32_loss():
    head, (embedding, label) = make_head(ArcFace()).bfloat16(), batch()
    loss = head(embedding.bfloat16(), label)
    assert loss.dtype == torch.float32
    expected = paper_loss(Paper(arcface), head, embedding.bfloat16(), label, None)
    assert loss.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_eval_mode_changes_no_buffer(margin, paper):
    head, (embedding, label) = make_head(margin).eval(), batch()
    before = copy.deepcopy(head.state_dict())
    head(embedding, label, quality_of_some(margin, 6))
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
