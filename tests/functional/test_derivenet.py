"""DeriveNet's losses and centres against loops."""

import math

import numpy as np
import pytest
import torch

from lrfr_lightning.functional.derivenet import (
    centre_memory,
    centre_similarity,
    class_sums,
    d_margin,
    recent,
    running_mean,
    thumbnails,
)


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def recent_loop(reconstruction, thumbnail, centre, weight):
    losses = []
    for g, hr, c in zip(reconstruction, thumbnail, centre, strict=True):
        first = sum((float(a) - float(b)) ** 2 for a, b in zip(hr, g, strict=True))
        second = sum((float(a) - float(b)) ** 2 for a, b in zip(g, c, strict=True))
        losses.append(weight * (first + second))
    return sum(losses) / len(losses)


def d_margin_loop(logit, target, label, similarity, alpha):
    losses = []
    for z, z_y, y, d in zip(logit, target, label, similarity, strict=True):
        others = sum(
            math.exp(float(z[j]) + alpha * float(d[j])) for j in range(len(z)) if j != int(y)
        )
        losses.append(-math.log(math.exp(float(z_y)) / (math.exp(float(z_y)) + others)))
    return losses


def similarity_loop(centre, seen, label):
    """Cosine after the mean of the seen centres is subtracted, by NumPy."""
    centre = centre.numpy()
    moved = centre - centre[seen.numpy()].mean(axis=0)
    found = np.zeros((len(label), len(centre)))
    for i, y in enumerate(label.tolist()):
        for j in range(len(centre)):
            if seen[y] and seen[j]:
                cosine = moved[y] @ moved[j] / np.linalg.norm(moved[y]) / np.linalg.norm(moved[j])
                found[i, j] = max(cosine, 0)
    return torch.from_numpy(found)


def test_recent():
    g, hr, c = (draw(5, 7, seed=seed) for seed in range(3))
    assert recent(g, hr, c, 0.02).item() == pytest.approx(recent_loop(g, hr, c, 0.02), rel=1e-12)
    assert torch.autograd.gradcheck(lambda x: recent(x, hr, c, 0.02), g.requires_grad_())
    assert recent(g[:0], hr[:0], c[:0]).item() == 0


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_d_margin(alpha):
    logit, similarity = draw(6, 4), draw(6, 4, seed=1).abs()
    label = torch.tensor([0, 1, 2, 3, 3, 0])
    target = draw(6, seed=2) - 1
    losses = d_margin(logit, target, label, similarity, alpha)
    expected = d_margin_loop(logit, target, label, similarity, alpha)
    assert losses.tolist() == pytest.approx(expected, rel=1e-12)
    inputs = (logit.requires_grad_(), target.requires_grad_())
    assert torch.autograd.gradcheck(lambda z, t: d_margin(z, t, label, similarity, alpha), inputs)


def test_d_margin_without_alpha_is_softmax_and_likeness_makes_it_harder():
    logit, label = draw(6, 4), torch.tensor([0, 1, 2, 3, 3, 0])
    target = logit.gather(1, label[:, None]).squeeze(1)
    similarity = draw(6, 4, seed=1).abs()
    plain = torch.nn.functional.cross_entropy(logit, label, reduction="none")
    torch.testing.assert_close(d_margin(logit, target, label, similarity, 0.0), plain)
    assert (d_margin(logit, target, label, similarity, 1.0) > plain).all()


def test_similarity_of_centres():
    centre, seen = draw(6, 9), torch.tensor([True, True, False, True, True, True])
    label = torch.tensor([0, 2, 5, 5])
    result = centre_similarity(centre, seen, label)
    torch.testing.assert_close(result, similarity_loop(centre, seen, label))
    assert (result[1] == 0).all()  # class 2 has no centre
    assert result[0, 0].item() == pytest.approx(1)


@pytest.mark.parametrize("count", [0, 1])
def test_similarity_of_next_to_no_centres_is_zero(count):
    seen = torch.arange(4) < count
    result = centre_similarity(draw(4, 9), seen, torch.tensor([0, 3]))
    assert torch.equal(result, torch.zeros(2, 4, dtype=torch.float64))


def test_faces_are_alike_until_their_mean_is_subtracted():
    shared = draw(1, 64).abs() * 100 + 50
    centre = shared + draw(20, 64, seed=1) * 10
    raw = torch.nn.functional.normalize(centre)
    others = ~torch.eye(20, dtype=torch.bool)
    assert (raw @ raw.T)[others].min() > 0.95
    centred = centre_similarity(centre, torch.ones(20, dtype=torch.bool), torch.arange(20))
    assert centred[others].mean() < 0.1


def test_running_mean_is_the_mean_of_all_values():
    mean = torch.zeros(4, 3, dtype=torch.float64)
    count = torch.zeros(4, dtype=torch.int64)
    values, labels = draw(5, 6, 3), torch.tensor([[0, 1, 0, 0, 3, 3]] * 4 + [[0] * 6])
    for value, label in zip(values, labels, strict=True):
        before = mean
        mean, count = running_mean(mean, count, *class_sums(value, label, 4))
        absent = ~torch.isin(torch.arange(4), label)
        assert torch.equal(mean[absent], before[absent])
    assert count.tolist() == [18, 4, 0, 8]
    for c in (0, 1, 3):
        torch.testing.assert_close(mean[c], values[labels == c].mean(dim=0))
    assert (mean[2] == 0).all()


def test_no_values_move_no_mean():
    mean, count = draw(4, 3), torch.tensor([1, 2, 0, 4])
    empty = torch.zeros(0, dtype=torch.int64)
    after, total = running_mean(mean, count, *class_sums(mean[:0], empty, 4))
    assert torch.equal(after, mean)
    assert torch.equal(total, count)


def test_thumbnails_are_grey_areas():
    image = torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8)
    result = thumbnails(image, 16)
    assert result.shape == (2, 256)
    assert result.dtype == torch.float32
    corner = image[1, :, :7, 105:].double().mean(dim=(1, 2))
    grey = 0.299 * corner[0] + 0.587 * corner[1] + 0.114 * corner[2]
    assert result[1, 15].item() == pytest.approx(grey.item() / 127.5 - 1, abs=1e-5)
    white = torch.full((1, 3, 112, 112), 255, dtype=torch.uint8)
    torch.testing.assert_close(thumbnails(white, 5), torch.ones(1, 25))


def test_memory():
    assert centre_memory(10, 3) == 10 * (9 * 4 + 8)
