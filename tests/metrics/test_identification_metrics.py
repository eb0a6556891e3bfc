"""1:N metrics on batches against a loop over probes."""

import numpy as np
import pytest
import torch

from lrfr_lightning.metrics import MeanAveragePrecision, RankK, TpirAtFpir
from lrfr_lightning.utils.errors import ConfigError, DataError

PEOPLE, COUNT = 15, 120


def faces() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noisy embeddings; the last five people are in no gallery."""
    rng = np.random.default_rng(0)
    person = rng.integers(0, PEOPLE, COUNT)
    centres = rng.integers(-2, 3, (PEOPLE, 6))
    rows = centres[person] + rng.normal(0, 1.5, (COUNT, 6))
    gallery = (person < 10) & (np.arange(COUNT) % 2 == 0)
    return torch.from_numpy(rows), torch.from_numpy(person), torch.from_numpy(gallery)


def slow(k: int, fpir: float) -> tuple[float, float]:
    """Rank-k and TPIR-k at an FPIR, by definition."""
    rows, person, gallery = (column.numpy() for column in faces())
    units = [row / np.sqrt(sum(row**2)) for row in rows]
    mated, alarms = [], []
    for probe in np.flatnonzero(~gallery):
        scores = {g: round(float(units[probe] @ units[g]), 12) for g in np.flatnonzero(gallery)}
        mates = [s for g, s in scores.items() if person[g] == person[probe]]
        others = [s for g, s in scores.items() if person[g] != person[probe]]
        if mates:
            mated.append((max(mates), sum(s >= max(mates) for s in others) < k))
        else:
            alarms.append(max(others))
    cuts = [a + 1e-9 for a in alarms]
    allowed = [c for c in cuts if np.mean([a >= c for a in alarms]) <= fpir]
    cut = min(allowed)
    return np.mean([hit for _, hit in mated]), np.mean([hit and s >= cut for s, hit in mated])


@pytest.mark.parametrize("size", [7, 50, 120])
def test_equals_a_loop_for_any_batches(size: int) -> None:
    metrics = [RankK(1), RankK(5), TpirAtFpir(0.2), TpirAtFpir(0.3, k=5)]
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(size))
    for start in range(0, COUNT, size):
        for metric in metrics:
            metric.update(*(column[order[start : start + size]] for column in faces()))
    expected = [slow(1, 0.2)[0], slow(5, 0.2)[0], slow(1, 0.2)[1], slow(5, 0.3)[1]]
    assert [float(m.compute()) for m in metrics] == pytest.approx(expected, rel=0, abs=1e-12)


def test_average_precision_of_a_known_ranking() -> None:
    metric = MeanAveragePrecision()
    angles = torch.tensor([0.0, 0.1, 0.2, 0.3])  # probe, impostor, mate, impostor
    rows = torch.stack([angles.cos(), angles.sin()], dim=1)
    metric.update(rows, torch.tensor([7, -1, 7, 3]), torch.tensor([False, True, True, True]))
    # one mate at rank 2: the mean of the precisions 0 before it and 1/2 at it
    assert float(metric.compute()) == pytest.approx(0.25)


def test_bad_input() -> None:
    with pytest.raises(ConfigError, match=r"got \(2, 3\), \(1,\) and \(2,\)"):
        RankK().update(torch.zeros(2, 3), torch.zeros(1), torch.zeros(2))
    with pytest.raises(ConfigError, match="RankK.k: expected 1 or more, got 0"):
        RankK(0)
    with pytest.raises(ConfigError, match="expected fpir in 0..1 and k >= 1"):
        TpirAtFpir(0)
    metric = RankK()
    metric.update(torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64), torch.tensor([0, 1]))
    with pytest.raises(DataError, match="not finite"):
        metric.compute()
