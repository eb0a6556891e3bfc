"""torchmetrics classes: any order, any batches, any number of ranks give scikit-learn's numbers."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor, distributed

from lrfr_lightning.functional.folds import kfold_accuracy
from lrfr_lightning.functional.verification import best_threshold
from lrfr_lightning.metrics import (
    AreaUnderROC,
    EqualErrorRate,
    TarAtFar,
    VerificationAccuracy,
    VerificationROC,
)
from lrfr_lightning.utils.errors import ConfigError, DataError
from processes import on_ranks

COUNT, FAR = 12_000, 0.01


def cosines() -> tuple[Tensor, Tensor, Tensor]:
    """All genuine pairs first, as in a list; rounded, so that many scores are tied."""
    rng = np.random.default_rng(0)
    same = np.arange(COUNT) < COUNT // 2
    scores = np.round(np.clip(rng.normal(np.where(same, 0.3, -0.05), 0.18), -1, 1), 4)
    fold = np.tile(np.arange(10), COUNT // 10)
    return torch.from_numpy(scores), torch.from_numpy(same), torch.from_numpy(fold)


def batches(size: int, order: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    scores, same, fold = (column[order] for column in cosines())
    for start in range(0, COUNT, size):
        part = slice(start, start + size)
        yield scores[part], same[part], fold[part]


def measured(order: Tensor, rank: int = 0, world: int = 1) -> list[float]:
    pairs = [AreaUnderROC(), EqualErrorRate(), TarAtFar(FAR)]
    accuracy = VerificationAccuracy()
    # 12 batches of 1,024: the last has 736, and each rank takes every other one
    for number, (scores, same, fold) in enumerate(batches(1024, order)):
        if number % world == rank:
            accuracy.update(scores, same, fold)
            for metric in pairs:
                metric.update(scores, same)
    return [float(metric.compute()) for metric in [*pairs, accuracy]]


def expected() -> list[float]:
    scores, same, fold = (column.numpy() for column in cosines())
    far, tar, _ = roc_curve(same, scores, drop_intermediate=False)
    step = int(np.argmax(far >= 1 - tar))
    line = np.linspace(0, 1, 2)
    gap = [far[step - 1 + k] - (1 - tar[step - 1 + k]) for k in (0, 1)]
    eer = np.interp(0, gap, far[step - 1] + line * (far[step] - far[step - 1]))
    accuracy = kfold_accuracy(scores, same, fold, best_threshold).accuracy.mean()
    return [roc_auc_score(same, scores), eer, tar[far <= FAR].max(), accuracy]


LIST_ORDER = torch.arange(COUNT)
SHUFFLED = torch.randperm(COUNT, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("order", [LIST_ORDER, SHUFFLED], ids=["list order", "shuffled"])
def test_equals_scikit_learn(order: Tensor) -> None:
    assert measured(order) == pytest.approx(expected(), rel=0, abs=1e-12)


def _on_rank(rank: int, folder: str) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/group", rank=rank, world_size=2
    )
    results = [measured(order, rank, 2) for order in (LIST_ORDER, SHUFFLED)]
    # rank 1 has no pair at all
    alone = AreaUnderROC()
    scores, same, _ = cosines()
    mine = slice(0, COUNT if rank == 0 else 0)
    alone.update(scores[mine], same[mine])
    results.append([float(alone.compute())])
    torch.save(results, f"{folder}/{rank}.pt")
    distributed.barrier()
    distributed.destroy_process_group()


def test_two_ranks_equal_one(tmp_path: object) -> None:
    on_ranks(_on_rank, (str(tmp_path),), 2)
    for rank in (0, 1):
        in_list_order, shuffled, alone = torch.load(f"{tmp_path}/{rank}.pt")
        assert in_list_order == pytest.approx(expected(), rel=0, abs=1e-12)
        assert shuffled == pytest.approx(expected(), rel=0, abs=1e-12)
        assert alone == pytest.approx(expected()[:1], rel=0, abs=1e-12)


def test_the_curve_is_that_of_scikit_learn() -> None:
    scores, same, _ = cosines()
    metric = VerificationROC()
    metric.update(scores[:7], same[:7])
    metric.update(scores[7:], same[7:])
    far, tar, threshold = (column.numpy() for column in metric.compute())
    for own, other in zip(
        (far, tar, threshold),
        roc_curve(same.numpy(), scores.numpy(), drop_intermediate=False),
        strict=True,
    ):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-12)


def test_a_reset_metric_starts_anew() -> None:
    metric = AreaUnderROC()
    metric.update(torch.tensor([0.9, 0.1]), torch.tensor([False, True]))
    assert metric.compute() == 0
    metric.reset()
    metric.update(torch.tensor([0.9, 0.1]), torch.tensor([1, 0]))
    assert metric.compute() == 1


def test_bad_input() -> None:
    with pytest.raises(ConfigError, match=r"got \(2,\) and \(3,\)"):
        AreaUnderROC().update(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ConfigError, match="a fold for each of 2 scores"):
        VerificationAccuracy().update(torch.zeros(2), torch.zeros(2), torch.zeros(3))
    with pytest.raises(ConfigError, match="TarAtFar.far: expected a rate above 0 and up to 1"):
        TarAtFar(0)
    metric = AreaUnderROC()
    metric.update(torch.tensor([0.5, float("nan")]), torch.tensor([True, False]))
    with pytest.raises(DataError, match="1 of 2 scores are not finite"):
        metric.compute()
