"""The k best against a sort of all scores; ranks where float32 cannot decide; two processes."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lrfr_lightning.functional import score_tiles
from lrfr_lightning.functional import top_k as lookup
from lrfr_lightning.functional.approximate import ApproximateGallery
from lrfr_lightning.functional.identification import search
from lrfr_lightning.functional.top_k import top_k
from lrfr_lightning.utils.errors import ConfigError, DataError


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    rows = rng.normal(size=shape)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def check_best(probes: np.ndarray, gallery: np.ndarray, k: int, block: int) -> None:
    """What is found is what a sort of all scores in float64 finds."""
    scores = probes @ gallery.T
    order = np.argsort(-scores, axis=1)[:, :k]
    found = top_k(probes.astype(np.float32), gallery.astype(np.float32), k, block)
    expected = np.take_along_axis(scores, order, 1)
    np.testing.assert_allclose(found.score.numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(
        np.take_along_axis(scores, found.row.numpy(), 1), expected, atol=1e-6
    )
    assert all(len(set(row)) == k for row in found.row.tolist())


@pytest.mark.parametrize("k", [1, 20, 1500])
@pytest.mark.parametrize("block", [2**12, 2**22])
def test_the_best_are_those_of_a_sort(k: int, block: int) -> None:
    rng = np.random.default_rng(k)
    probes, gallery = unit(rng, 60, 16), unit(rng, 2500, 16)
    # rising towards the last entry, so that every tile has better ones
    gallery *= np.linspace(0.5, 1.5, 2500)[:, None]
    check_best(probes, gallery, k, block)


@pytest.mark.parametrize("k", [1, 5, 300])
def test_the_best_of_many_tiles_that_hold_few_better_ones(k: int) -> None:
    rng = np.random.default_rng(k)
    probes, gallery = unit(rng, 50, 16), unit(rng, 20_000, 16)
    check_best(probes, gallery, k, 2**15)


def test_memory_holds_what_a_tile_and_few_before_it_have_better(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes, insert = [], lookup._insert

    def noted(best: lookup.TopK, found: lookup.Found) -> None:
        sizes.append(len(found[0]))
        insert(best, found)

    monkeypatch.setattr(lookup, "_insert", noted)
    rising = torch.linspace(0.1, 1, 50_000)[:, None].expand(-1, 4)
    found = top_k(torch.ones(16, 4), rising, 2, 2**14)
    assert found.row[0].tolist() == [49_999, 49_998]
    # every score of every tile after the first is better than all before
    assert sizes == [2**14] * (50_000 // 1024 - 1) + [50_000 % 1024 * 16]


def test_memory_follows_the_probe_that_finds_most(monkeypatch: pytest.MonkeyPatch) -> None:
    widths, insert = [], lookup._insert

    def noted(best: lookup.TopK, found: lookup.Found) -> None:
        widths.append(int(found[0].bincount().max()))
        insert(best, found)

    monkeypatch.setattr(lookup, "_insert", noted)
    gallery = torch.stack([torch.linspace(0.1, 1, 20_000), torch.zeros(20_000)], dim=1)
    probes = torch.tensor([[0.0, 1.0]] * 2000 + [[1.0, 0.0]])
    assert top_k(probes, gallery, 2).row[-1].tolist() == [19_999, 19_998]
    # one probe alone has better entries, in every tile
    assert max(widths) == 1024


def test_memory_holds_a_tile_and_never_all_scores() -> None:
    tiles = score_tiles.score_tiles(torch.ones(3000, 2), torch.ones(5000, 2), 2**16)
    sizes, places = zip(*((t.scores.numel(), t.scores.data_ptr()) for t in tiles), strict=True)
    assert max(sizes) <= 2**16
    assert sum(sizes) == 3000 * 5000
    assert len(set(places)) == 1


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("probes", [3, 700])
def test_scores_are_float32_whatever_is_allowed_elsewhere(
    old: bool, probes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old: a torch whose devices have no setting of their own."""
    settings, mm, seen = torch.backends.mkldnn.matmul, torch.mm, []

    def noted(*args: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        seen.append((settings.fp32_precision, torch.is_autocast_enabled("cpu")))
        return mm(*args, out=out)

    monkeypatch.setattr(torch, "mm", noted)
    allowed, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
    torch.set_num_threads(2)
    torch.set_float32_matmul_precision("medium")
    if old:
        monkeypatch.setattr(torch.backends, "mkldnn", SimpleNamespace())
    try:
        with torch.autocast("cpu"):
            top_k(torch.ones(probes, 2), torch.ones(5, 2), 1)
        assert set(seen) == {("ieee", False)}
        assert (settings.fp32_precision, torch.get_float32_matmul_precision()) == ("bf16", "medium")
    finally:
        torch.set_float32_matmul_precision(allowed)
        torch.set_num_threads(threads)


def test_what_cannot_be_searched() -> None:
    rows = torch.ones(4, 3)
    with pytest.raises(ConfigError, match=r"expected k in 1\.\.4, the size of the gallery, got 5"):
        top_k(rows, rows, 5)
    with pytest.raises(ConfigError, match=r"got \(4, 3\) and \(4, 2\)"):
        top_k(rows, rows[:, :2], 1)
    with pytest.raises(DataError, match="1 of 4 probes have an embedding that is not finite"):
        top_k(torch.tensor([[1.0], [2.0], [torch.nan], [0.0]]), torch.ones(1, 1), 1)


def near_ties(length: int) -> tuple[np.ndarray, ...]:
    """Impostors that differ from a mate's score by less than float32 resolves, and a mate."""
    rng = np.random.default_rng(length)
    probes, noise = unit(rng, 30, length), unit(rng, 30, 40, length)
    noise -= (noise * probes[:, None]).sum(-1, keepdims=True) * probes[:, None]
    score = 0.7 + 1e-9 * rng.integers(-3, 4, (30, 40, 1))
    gallery = (score * probes[:, None] + 0.5 * noise).reshape(1200, length)
    return probes, np.arange(30), gallery, np.where(np.arange(1200) % 40, -1, np.arange(1200) // 40)


@pytest.mark.parametrize("length", [8, 512])
@pytest.mark.parametrize("block", [2**10, 2**22])
def test_ranks_are_those_of_float64(length: int, block: int) -> None:
    probes, wanted, gallery, people = near_ties(length)
    found = search(probes, wanted, gallery, people, block)
    scores = probes @ gallery.T
    for i, row in enumerate(scores):
        mate, others = row[40 * i], np.delete(row, 40 * i)
        assert found.rank[i] == 1 + np.count_nonzero(others >= mate - 1e-12)
        np.testing.assert_allclose(found.impostor[i], others.max(), atol=1e-14)
        np.testing.assert_allclose(row[found.impostor_at[i]], others.max(), atol=1e-14)
    single = probes.astype(np.float32) @ gallery.T.astype(np.float32)
    blunt = [1 + np.count_nonzero(np.delete(r, 40 * i) >= r[40 * i]) for i, r in enumerate(single)]
    assert blunt != found.rank.tolist()


RANKS = """
import sys, numpy as np, torch.distributed as dist
from lrfr_lightning.functional.identification import search_over_ranks
rank, folder = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
given = np.load(f"{folder}/given.npz")
found = search_over_ranks(*(given[f"arr_{i}"][:n] for i, n in enumerate((int(sys.argv[3]),) * 2)),
                          given["arr_2"], given["arr_3"])
np.savez(f"{folder}/rank{rank}.npz", **vars(found))
dist.destroy_process_group()
"""


@pytest.mark.parametrize("probes", [1, 29])
def test_two_ranks_find_what_one_finds(tmp_path: Path, probes: int) -> None:
    given = near_ties(8)
    np.savez(tmp_path / "given.npz", *given)
    command = [sys.executable, "-c", RANKS]
    ranks = [
        subprocess.Popen([*command, str(rank), str(tmp_path), str(probes)]) for rank in range(2)
    ]
    assert [process.wait() for process in ranks] == [0, 0]
    alone = search(given[0][:probes], given[1][:probes], *given[2:])
    for rank in range(2):
        together = np.load(tmp_path / f"rank{rank}.npz")
        for name, column in vars(alone).items():
            np.testing.assert_array_equal(together[name], column)


@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")
def test_approximate_search_is_exact_where_it_reads_every_list() -> None:
    pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    probes, gallery = unit(rng, 50, 16), unit(rng, 2000, 16)
    exact = top_k(probes, gallery, 5)
    everything = ApproximateGallery(gallery, "IVF16,Flat", lists=16).top_k(probes, 5)
    np.testing.assert_array_equal(everything.row.numpy(), exact.row.numpy())
    np.testing.assert_allclose(everything.score.numpy(), exact.score.numpy(), atol=1e-6)
    hasty = ApproximateGallery(gallery, "IVF16,Flat", lists=1).top_k(probes, 5)
    hits = [
        len(set(a) & set(b)) for a, b in zip(hasty.row.tolist(), exact.row.tolist(), strict=True)
    ]
    assert 50 < sum(hits) < 250
    with pytest.raises(ConfigError, match="faiss cannot make the index 'Nonsense' of 2000 entries"):
        ApproximateGallery(gallery, "Nonsense")
