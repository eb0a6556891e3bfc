import numpy as np
import pytest
import torch

from lrfr_lightning.functional.softmax_loss import softmax_loss
from lrfr_lightning.heads import CosineClassifier


@pytest.fixture
def classifier() -> CosineClassifier:
    torch.manual_seed(0)
    return CosineClassifier(8, 5)


def cosines_loop(embedding, weight):
    rows = []
    for x in embedding.double().numpy():
        rows.append([x @ w / np.linalg.norm(x) / np.linalg.norm(w) for w in weight])
    return torch.tensor(np.array(rows))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cosines_equal_a_loop(classifier, dtype):
    embedding = torch.randn(4, 8, dtype=dtype)
    expected = cosines_loop(embedding, classifier.weight.detach().double().numpy())
    cosine = classifier(embedding)
    assert cosine.dtype == dtype
    torch.testing.assert_close(cosine, expected.to(dtype))


def test_target_cosine_is_the_entry_of_the_label(classifier):
    embedding, label = torch.randn(6, 8), torch.tensor([0, 4, 2, 2, 1, 3])
    expected = classifier(embedding)[torch.arange(6), label]
    torch.testing.assert_close(classifier.target_cosine(embedding, label), expected)


def test_weights_are_small_normal_numbers():
    torch.manual_seed(0)
    weight = CosineClassifier(64, 1000).weight
    assert weight.shape == (1000, 64)
    assert weight.mean().item() == pytest.approx(0, abs=1e-3)
    assert weight.std().item() == pytest.approx(0.01, rel=0.02)


def test_stays_within_one_and_survives_a_zero_embedding(classifier):
    aligned = classifier.weight.detach() * 1234.5
    cosine = classifier(torch.cat([aligned, -aligned, torch.zeros(1, 8)]))
    assert cosine.abs().max() <= 1
    assert torch.equal(cosine[-1], torch.zeros(5))


def test_length_of_weights_and_embeddings_does_not_matter(classifier):
    embedding = torch.randn(3, 8)
    before = classifier(embedding)
    with torch.no_grad():
        classifier.weight.mul_(7)
    torch.testing.assert_close(classifier(embedding * 0.01), before)


def test_loss_replaces_the_target_only(classifier):
    embedding, label = torch.randn(4, 8), torch.tensor([1, 0, 4, 1])
    logits = 30 * classifier(embedding)
    target = torch.tensor([3.0, -2.0, 0.5, 25.0])
    for row, (column, value) in enumerate(zip(label, target, strict=True)):
        logits[row, column] = value
    expected = -torch.log_softmax(logits, dim=1)[torch.arange(4), label]
    _, others = classifier.compare(embedding, label, 30.0)
    torch.testing.assert_close(softmax_loss(target, others), expected)
