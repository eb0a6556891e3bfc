"""Shares of probes on several cores: what they find, and that nothing of it stays behind."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from lrfr_lightning.functional.identification import search
from lrfr_lightning.functional.score_tiles import Tile
from lrfr_lightning.functional.shares import over_shares
from lrfr_lightning.functional.top_k import top_k


@pytest.fixture(params=[2, 3])
def cores(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    assert torch.get_num_threads() == request.param
    torch.set_num_threads(before)


def test_every_core_takes_its_shares(cores: int) -> None:
    """All cores have to be there at once, or the barrier breaks."""
    together = threading.Barrier(cores, timeout=30)

    def work(share: slice, tiles: Iterator[Tile]) -> tuple[slice, int, int, int]:
        if share.start < (share.stop - share.start) * cores:
            together.wait()
        largest = max(tile.scores.numel() for tile in tiles)
        return share, largest, threading.get_ident(), torch.get_num_threads()

    probes, gallery = torch.ones(20_001, 1), torch.ones(3000, 1)
    shares, scores, threads, own = zip(*over_shares(work, probes, gallery, 2**22), strict=True)
    rows = np.arange(20_001)
    np.testing.assert_array_equal(np.concatenate([rows[share] for share in shares]), rows)
    sizes = [share.stop - share.start for share in shares]
    assert len(shares) % cores == 0
    assert max(sizes) - sizes[-1] < len(shares)
    assert max(scores) <= 2**22 // cores
    assert len(set(threads)) == cores
    assert set(own) == {1}


@pytest.mark.parametrize(
    ("probes", "block", "device"),
    [(255, 2**22, "cpu"), (5000, 2**18, "cpu"), (5000, 2**22, "meta")],
)
def test_one_share_where_more_would_not_help(
    cores: int, probes: int, block: int, device: str
) -> None:
    def work(share: slice, _: Iterator[Tile]) -> tuple[slice, int, int]:
        return share, threading.get_ident(), torch.get_num_threads()

    rows = torch.ones(probes, 1, device=device)
    alone = over_shares(work, rows, rows, block)
    assert alone == [(slice(0, probes), threading.get_ident(), cores)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_ends_all_shares_at_their_next_tile(
    cores: int, error: type[BaseException]
) -> None:
    looked, begun = [], threading.Barrier(cores, timeout=30)

    def work(share: slice, tiles: Iterator[Tile]) -> None:
        begun.wait()
        if not share.start:
            raise error("a share's own")
        for tile in tiles:
            looked.append(tile.column)
            time.sleep(0.05)

    with pytest.raises(error, match="a share's own"):
        over_shares(work, torch.ones(1000, 1), torch.ones(200_000, 1), 2**22)
    assert len(looked) < 100


@pytest.mark.parametrize("inference", [False, True])
def test_shares_find_what_a_sort_finds(
    cores: int, inference: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    mm, own = torch.mm, set()

    def noted(*args: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        own.add(torch.get_num_threads())
        return mm(*args, out=out)

    monkeypatch.setattr(torch, "mm", noted)
    rng = np.random.default_rng(cores)
    probes, gallery = rng.normal(size=(700, 8)), rng.normal(size=(1500, 8))
    person, people = rng.integers(-1, 1000, 700), rng.permutation(1500)
    with torch.inference_mode(inference):
        left, right = torch.from_numpy(probes).clone(), torch.from_numpy(gallery).clone()
        best, found = top_k(left, right, 5), search(left, person, right, people)
    assert own == {1}
    scores = probes @ gallery.T
    order = np.argsort(-scores, axis=1)
    np.testing.assert_array_equal(best.row.numpy(), order[:, :5])
    at = np.argmax(people[order] == person[:, None], axis=1)
    mated = person >= 0
    np.testing.assert_array_equal(found.rank[mated], at[mated] + 1)
    np.testing.assert_array_equal(found.mated, mated)
    np.testing.assert_array_equal(found.probe, np.arange(700))
    np.testing.assert_array_equal(found.person, person)
    first = order[np.arange(700), np.where(mated & (at == 0), 1, 0)]
    np.testing.assert_array_equal(found.impostor_at, first)
    np.testing.assert_allclose(found.impostor, scores[np.arange(700), first], atol=1e-12)
    np.testing.assert_array_equal(found.mate_at[mated], np.argsort(people)[person[mated]])
