"""Running statistics on two gloo ranks equal those of one rank with the joined batch."""

from pathlib import Path

import pytest
import torch
from torch import distributed

from lrfr_lightning.heads import AdaFace, BoundedLaplacianArcFace, MarginHead
from lrfr_lightning.utils.distributed import leave
from processes import on_ranks

SIZES = [(4, 4), (6, 1), (5, 0), (0, 1), (0, 0)]
"""Labelled samples of either rank, step by step; each batch has one more without a label."""
MARGINS = {"adaface": AdaFace, "bounded": BoundedLaplacianArcFace}


def make_head(name, sync=True):
    torch.manual_seed(0)
    return MarginHead(8, 5, MARGINS[name](t_alpha=0.2, sync=sync)).double()


def part(step, rank):
    """Embeddings, labels and sharpness of one rank in one step."""
    labelled = SIZES[step][rank]
    generator = torch.Generator().manual_seed(10 * step + rank)
    embedding = 9 * torch.randn(labelled + 1, 8, generator=generator, dtype=torch.float64)
    label = torch.randint(5, (labelled + 1,), generator=generator)
    label[0] = -1
    return embedding, label, 1 + 14 * torch.rand(labelled + 1, generator=generator)


def run(head, step, ranks):
    """Sum of the losses, its gradients and the buffers of one training step."""
    embedding, label, sharpness = (torch.cat(p) for p in zip(*(part(step, r) for r in ranks)))  # noqa: B905
    embedding.requires_grad_()
    head.zero_grad()
    total = head(embedding, label, sharpness) * (label >= 0).sum()
    total.backward()
    return {
        "loss": total.detach(),
        "embedding": embedding.grad,
        "weight": head.classifier.weight.grad.clone(),
        "buffers": torch.stack([buffer.clone() for buffer in head.buffers()]),
    }


def rank_process(rank, folder):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    heads = {name: make_head(name) for name in MARGINS}
    heads["alone"] = make_head("adaface", sync=False)
    found = {
        name: [run(head, step, [rank]) for step in range(len(SIZES))]
        for name, head in heads.items()
    }
    torch.save(found, Path(folder) / f"{rank}.pt")
    leave()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    on_ranks(rank_process, (str(folder),), 2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("name", MARGINS)
def test_two_ranks_equal_one_with_the_joined_batch(ranks, name):
    head = make_head(name)
    for step in range(len(SIZES)):
        joined = run(head, step, [0, 1])
        first, second = (found[name][step] for found in ranks)
        torch.testing.assert_close(first["loss"] + second["loss"], joined["loss"])
        both = torch.cat([first["embedding"], second["embedding"]])
        torch.testing.assert_close(both, joined["embedding"])
        torch.testing.assert_close(first["weight"] + second["weight"], joined["weight"])
        torch.testing.assert_close(first["buffers"], joined["buffers"])
        assert torch.equal(first["buffers"], second["buffers"])


def test_without_sync_each_rank_is_by_itself(ranks):
    for rank, found in enumerate(ranks):
        head = make_head("adaface")
        for step in range(len(SIZES)):
            expected = run(head, step, [rank])
            torch.testing.assert_close(found["alone"][step]["buffers"], expected["buffers"])
