import math

import numpy as np
import pytest
import torch

from lrfr_lightning.heads import AdaFace, BoundedLaplacianArcFace
from lrfr_lightning.heads.running_statistics import RunningStatistics


def make(mean=20.0, std=100.0, h=0.333, t_alpha=0.01, sync=True):
    return RunningStatistics(mean, std, h, t_alpha, sync)


def test_moves_as_a_loop_over_batches_does():
    statistics, (mean, std) = make(t_alpha=0.1).double(), (20.0, 100.0)
    rng = np.random.default_rng(0)
    for size in (5, 2, 64, 3):
        batch = rng.normal(30, 4, size)
        centre = sum(batch) / size
        spread = math.sqrt(sum((z - centre) ** 2 for z in batch) / (size - 1))
        mean, std = 0.9 * mean + 0.1 * centre, 0.9 * std + 0.1 * spread
        # the batch counts before it is standardised
        expected = [min(max(0.333 * (z - mean) / (std + 1e-3), -1), 1) for z in batch]
        assert statistics(torch.from_numpy(batch)).tolist() == pytest.approx(expected)
    assert (statistics.mean.item(), statistics.std.item()) == pytest.approx((mean, std))


def test_finds_mean_and_deviation_of_what_it_sees():
    statistics = make()
    generator = torch.Generator().manual_seed(0)
    for _ in range(2000):
        statistics(30 + 4 * torch.randn(64, generator=generator))
    assert statistics.mean.item() == pytest.approx(30, abs=0.1)
    assert statistics.std.item() == pytest.approx(4, abs=0.1)


def test_one_sample_moves_the_mean_only_and_none_moves_nothing():
    statistics = make(t_alpha=0.5)
    assert statistics(torch.empty(0)).shape == (0,)
    assert (statistics.mean, statistics.std) == (20, 100)
    statistics(torch.tensor([40.0]))
    assert (statistics.mean, statistics.std) == (30, 100)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_values_that_are_not_finite_are_left_out(bad):
    statistics, clean = make(), make()
    statistics(torch.tensor([3.0, bad, 5.0]))
    clean(torch.tensor([3.0, 5.0]))
    assert torch.equal(statistics.mean, clean.mean)
    assert torch.equal(statistics.std, clean.std)


def test_equal_values_give_zero_deviation_and_stay_finite():
    statistics = make(t_alpha=1.0)
    assert torch.equal(statistics(torch.full((4,), 7.0)), torch.zeros(4))
    assert statistics.std == 0


def test_takes_no_gradient():
    assert not make()(torch.ones(3, requires_grad=True)).requires_grad


def test_two_margins_share_it_and_a_checkpoint_holds_it():
    for margin in (AdaFace(), BoundedLaplacianArcFace()):
        assert set(margin.state_dict()) == {"statistics.mean", "statistics.std"}
    adaface = AdaFace()
    assert (adaface.statistics.mean, adaface.statistics.std) == (20, 100)
