"""Weights on two and three ranks give what all of them on one rank give."""

import copy
from functools import partial
from pathlib import Path

import pytest
import torch
from paper_margins import EVERY_MARGIN, quality_of_some
from torch import distributed
from torch.nn.functional import normalize

from lrfr_lightning.functional import softmax_loss
from lrfr_lightning.functional.softmax_loss import compare
from lrfr_lightning.heads import ArcFace, CosineClassifier, MarginHead, PartialFC
from lrfr_lightning.utils.distributed import leave
from lrfr_lightning.utils.errors import ConfigError
from processes import on_ranks

CLASSES_OF_MANY = 40_000
DIM, CLASSES = 6, 11  # 11 identities are no multiple of 2 or 3 ranks
SIZES = {2: [5, 3], 3: [4, 0, 3]}
MARGINS = {case.id: case.values[0] for case in EVERY_MARGIN}


def make_head(margin, classifier=CosineClassifier):
    return MarginHead(DIM, CLASSES, copy.deepcopy(margin), classifier).double()


def full_weight():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(CLASSES, DIM, generator=generator, dtype=torch.float64)


def part(margin, world, rank):
    """One rank's embeddings, labels and qualities; each batch has one sample without a label."""
    count = SIZES[world][rank] + 1
    generator = torch.Generator().manual_seed(rank)
    embedding = 9 * torch.randn(count, DIM, generator=generator, dtype=torch.float64)
    label = torch.randint(CLASSES, (count,), generator=generator)
    label[0] = -1
    return embedding, label, quality_of_some(margin, count, torch.float64)


def sharded(margin, world, rank):
    """Loss, gradients of the embeddings and of this rank's rows."""
    head = make_head(margin, PartialFC)
    head.classifier.share_out()
    head.double()
    rows = head.classifier.rows
    with torch.no_grad():
        head.classifier.weight.copy_(full_weight()[rows.start : rows.stop])
    embedding, label, quality = part(margin, world, rank)
    embedding.requires_grad_()
    loss = head(embedding, label, quality)
    loss.backward()
    return {
        "loss": loss.detach(),
        "embedding": embedding.grad,
        "weight": head.classifier.weight.grad,
    }


def rank_process(rank, world, folder):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=world
    )
    found = {name: sharded(margin, world, rank) for name, margin in MARGINS.items()}
    found["positives"] = positives_are_in()
    torch.save(found, Path(folder) / f"{rank}.pt")
    leave()


def positives_are_in():
    """At a tenth of the rows: does each step compare with every identity of all batches?"""
    rank = distributed.get_rank()
    classifier = PartialFC(DIM, 200, sample_rate=0.1)
    classifier.share_out()
    label = torch.randint(200, (7 + rank,), generator=torch.Generator().manual_seed(rank))
    gathered = [None] * distributed.get_world_size()
    distributed.all_gather_object(gathered, label)
    everyone = torch.cat(gathered)
    column = classifier._column(everyone)
    weight, place = classifier._compared(column)
    mine = column >= 0
    right = torch.equal(weight[place[mine]], classifier.weight[column[mine]])
    return right and len(weight) == max(
        round(0.1 * len(classifier.rows)), column[mine].unique().numel()
    )


@pytest.fixture(scope="module", params=[2, 3])
def ranks(request, tmp_path_factory):
    world = request.param
    folder = tmp_path_factory.mktemp(f"ranks{world}")
    on_ranks(rank_process, (world, str(folder)), world)
    return [torch.load(folder / f"{rank}.pt") for rank in range(world)]


@pytest.mark.parametrize("name", MARGINS)
def test_shards_equal_the_dense_head(ranks, name):
    world, margin = len(ranks), MARGINS[name]
    head = make_head(margin)
    with torch.no_grad():
        head.classifier.weight.copy_(full_weight())
    parts = [part(margin, world, rank) for rank in range(world)]
    embeddings = [embedding.requires_grad_() for embedding, _, _ in parts]
    losses = dense_losses(head, parts)
    sum(losses).backward()
    for found, loss, embedding in zip(ranks, losses, embeddings, strict=True):
        torch.testing.assert_close(found[name]["loss"], loss.detach(), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(found[name]["embedding"], embedding.grad, rtol=1e-9, atol=1e-9)
    weight = torch.cat([found[name]["weight"] for found in ranks])
    # DDP makes the mean over ranks of all other weights' gradients
    torch.testing.assert_close(weight, head.classifier.weight.grad / world, rtol=1e-9, atol=1e-9)


def dense_losses(head, parts):
    """Each rank's loss, from one head over the joined batch, so that running statistics agree."""
    embedding = torch.cat([one for one, _, _ in parts])
    label = torch.cat([one for _, one, _ in parts])
    quality = None if parts[0][2] is None else torch.cat([one for _, _, one in parts])
    known = label >= 0
    chosen = None if quality is None else quality[known]
    each = torch.zeros(len(label), dtype=torch.float64)
    each = each.masked_scatter(known, head._losses(embedding[known], label[known], chosen))
    counts = [len(one) for one, _, _ in parts]
    return [
        own.sum() / max(int((one >= 0).sum()), 1)
        for own, (_, one, _) in zip(each.split(counts), parts, strict=True)
    ]


def test_a_sample_holds_all_positives(ranks):
    assert all(found["positives"] for found in ranks)


def test_one_process_is_a_dense_classifier_and_samples_only_in_training():
    torch.manual_seed(0)
    classifier = PartialFC(DIM, 50, sample_rate=0.2).train()
    classifier.share_out()
    embedding, label = torch.randn(4, DIM), torch.tensor([3, 3, 49, 0])
    target, sampled = classifier.compare(embedding, label, 8.0)
    torch.testing.assert_close(target, classifier.target_cosine(embedding, label))
    whole = classifier.eval().compare(embedding, label, 8.0)
    assert (sampled < whole[1]).all()
    dense = CosineClassifier(DIM, 50)
    dense.load_state_dict({"weight": classifier.weight})
    torch.testing.assert_close(whole, dense.compare(embedding, label, 8.0))


def test_steps_draw_different_negatives_and_a_resumed_run_the_same():
    classifier = PartialFC(DIM, 200, sample_rate=0.1)
    classifier.share_out()
    column = torch.tensor([5])
    first, second = (classifier._compared(column)[0] for _ in range(2))
    assert not torch.equal(first, second)
    resumed = PartialFC(DIM, 200, sample_rate=0.1)
    resumed.share_out()
    state = classifier.state_dict()
    resumed.load_state_dict(state)
    third = classifier._compared(column)[0]
    torch.testing.assert_close(resumed._compared(column)[0], third, rtol=0, atol=0)


def test_errors():
    with pytest.raises(ConfigError, match=r"sample_rate: expected 0 < rate ≤ 1, got 0"):
        PartialFC(4, 10, sample_rate=0)


def reference(direction, weight, column, scale):
    """Cosine with the own row and the sum over all other rows, sample by sample."""
    cosines = [normalize(weight) @ one for one in direction]
    own = [c[y] if y >= 0 else 0 * c[0] for c, y in zip(cosines, column, strict=True)]
    others = [
        torch.logsumexp(s * c[torch.arange(len(c)) != y], dim=0)
        for s, c, y in zip(scale, cosines, column, strict=True)
    ]
    return torch.stack(own), torch.stack(others)


@pytest.fixture(params=[2, 100], ids=["blocks", "one-block"])
def block(request, monkeypatch):
    monkeypatch.setattr(softmax_loss, "_BLOCK", {"cpu": request.param})


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("recompute", [False, True])
def test_compare_equals_its_definition_in_value_and_gradient(recompute):
    torch.manual_seed(0)
    tensors = [normalize(torch.randn(5, 4)), torch.randn(7, 4), torch.full((5,), 5.0)]
    inputs = tuple(tensor.double().requires_grad_() for tensor in tensors)
    column = torch.tensor([0, 3, 6, 3, -1])

    def value(direction, weight, scale):
        return compare(direction, weight, column, scale, recompute=recompute)

    expected = reference(inputs[0], inputs[1], column, inputs[2])
    torch.testing.assert_close(value(*inputs), expected)
    assert torch.autograd.gradcheck(value, inputs)


def test_the_loss_is_finite_where_every_exponential_underflows():
    direction, weight = normalize(torch.ones(1, 4)), -torch.ones(3, 4)
    _, others = compare(direction, weight, torch.tensor([1]), torch.tensor([400.0]))
    torch.testing.assert_close(others, torch.tensor([-400 + torch.log(torch.tensor(2.0))]))


def test_one_identity_has_no_others_and_no_loss():
    head = MarginHead(4, 1, ArcFace())
    embedding = torch.ones(2, 4, requires_grad=True)
    loss = head(embedding, torch.zeros(2, dtype=torch.int64))
    loss.backward()
    assert loss == 0
    assert not embedding.grad.any()
    assert not head.classifier.weight.grad.any()


@pytest.mark.parametrize("recompute", [False, True])
def test_memory_of_one_step_is_one_gradient_and_one_matrix_or_none(recompute):
    """No normalised copy of the weights, no second gradient of their size."""
    classifier = partial(CosineClassifier, recompute=recompute)
    head = MarginHead(64, CLASSES_OF_MANY, ArcFace(), classifier)
    embedding = torch.randn(32, 64, requires_grad=True)
    label = torch.randint(CLASSES_OF_MANY, (32,))
    with torch.profiler.profile(profile_memory=True) as profile:
        head(embedding, label).backward()
    events = profile.profiler.kineto_results.events()
    sizes = [event.nbytes() for event in events if event.name() == "[memory]"]
    held = peak = 0
    for size in sizes:
        held += size
        peak = max(peak, held)
    gradient, matrix = CLASSES_OF_MANY * 64 * 4, CLASSES_OF_MANY * 32 * 4
    expected = gradient + (0 if recompute else matrix)
    assert expected < peak < expected + 0.25 * matrix
