"""Identification against slow loops, ties included, and known answers."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from lrfr_lightning.functional.identification import (
    MISSED,
    NOBODY,
    average_precision,
    cmc,
    mean_average_precision,
    rank_rate,
    search,
)
from lrfr_lightning.functional.identification_intervals import person_intervals, search_intervals
from lrfr_lightning.functional.open_set import open_set_area, open_set_curve, tpir_at_fpir
from lrfr_lightning.functional.verification import area_under_curve
from lrfr_lightning.utils.errors import DataError


def draw(seed: int, ties: bool) -> tuple[np.ndarray, ...]:
    """Forty probes of 14 people, 10 of them with one to four entries among 30 of the gallery."""
    rng = np.random.default_rng(seed)
    people = np.r_[np.arange(10), rng.integers(0, 10, 10), np.full(10, NOBODY)]
    wanted = np.r_[rng.integers(0, 14, 36), np.full(4, NOBODY)]
    # small integers: products are exact, so that the slow loop sees the same ties
    gallery, probes = rng.integers(-2, 3, (30, 5)), rng.integers(-2, 3, (40, 5))
    noise = 0 if ties else rng.normal(size=(40, 5))
    return probes + noise, wanted, gallery.astype(float), people


def slow_search(
    probe: np.ndarray, person: int, gallery: np.ndarray, people: np.ndarray
) -> tuple[list[int], float, float]:
    """Ranks of all mates, the best mate's score and the best impostor's, one entry at a time."""
    mates, others = [], []
    for entry, who in zip(gallery, people, strict=True):
        score = sum(a * b for a, b in zip(probe, entry, strict=True))
        (mates if who == person and person != NOBODY else others).append(score)
    ranks = []
    for place, score in enumerate(sorted(mates, reverse=True), start=1):
        ahead = [other for other in others if other >= score - 1e-12]
        ranks.append(place + len(ahead))
    return ranks, max(mates, default=np.nan), max(others)


def slow_precision(ranks: list[int]) -> float:
    """The area under precision over recall, walking down the list place by place."""
    area, found, before = 0.0, 0, 1.0
    for place in range(1, max(ranks) + 1):
        hit = place in ranks
        found += hit
        precision = found / place
        area += hit * (before + precision) / 2 / len(ranks)
        before = precision
    return area


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_search_equals_the_slow_loop(seed: int, ties: bool) -> None:
    probes, wanted, gallery, people = draw(seed, ties)
    found = search(probes, wanted, gallery, people)
    for i, (probe, person) in enumerate(zip(probes, wanted, strict=True)):
        ranks, mate, impostor = slow_search(probe, person, gallery, people)
        assert found.mated[i] == bool(ranks)
        assert found.rank[i] == (ranks[0] if ranks else MISSED)
        np.testing.assert_allclose(found.mate[i], mate)
        np.testing.assert_allclose(found.impostor[i], impostor)
        if ranks:
            assert found.precision[i] == pytest.approx(slow_precision(ranks))
            assert people[found.mate_at[i]] == person
        assert people[found.impostor_at[i]] != person or person == NOBODY


@pytest.mark.parametrize("block", [1, 30, 31, 100])
def test_blocks_change_nothing(block: int) -> None:
    drawn = draw(0, True)
    whole, parts = search(*drawn), search(*drawn, block=block)
    for name, column in vars(whole).items():
        np.testing.assert_array_equal(getattr(parts, name), column)


@pytest.mark.parametrize("ties", [False, True])
def test_many_probes_of_a_tile_find_what_each_finds(ties: bool) -> None:
    probes, wanted, gallery, people = draw(0, ties)
    times = 5000 // len(probes)
    few = search(probes, wanted, gallery, people)
    many = search(np.tile(probes, (times, 1)), np.tile(wanted, times), gallery, people)
    for name in ("rank", "precision", "mate", "mate_at", "impostor", "impostor_at"):
        np.testing.assert_allclose(
            getattr(many, name), np.tile(getattr(few, name), times), rtol=0, atol=1e-12
        )


def test_ranks_and_cmc_count_unmated_probes_out() -> None:
    probes, wanted, gallery, people = draw(1, True)
    found = search(probes, wanted, gallery, people)
    ranks = [slow_search(p, w, gallery, people)[0] for p, w in zip(probes, wanted, strict=True)]
    best = [r[0] for r in ranks if r]
    assert 0 < len(best) < len(probes)
    for k in (1, 2, 5, 20):
        assert rank_rate(found, k) == sum(rank <= k for rank in best) / len(best)
    np.testing.assert_array_equal(cmc(found, 30), [rank_rate(found, k) for k in range(1, 31)])
    assert cmc(found, 30)[-1] == 1.0


def test_a_model_that_tells_nobody_apart_finds_nobody() -> None:
    same = np.full((6, 4), 0.5)
    found = search(same, np.arange(6), same, np.arange(6))
    assert found.rank.tolist() == [6] * 6
    assert rank_rate(found, 5) == 0.0


def test_equal_embeddings_tie_wherever_they_stand() -> None:
    rng = np.random.default_rng(0)
    face = rng.normal(size=(1, 67))
    face /= np.linalg.norm(face)
    gallery = np.repeat(face, 101, axis=0)
    found = search(face, np.array([100]), gallery, np.arange(101))
    assert found.rank.tolist() == [101]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("k", [1, 3, 20])
def test_open_set_equals_trying_every_threshold(k: int, ties: bool) -> None:
    probes, wanted, gallery, people = draw(2, ties)
    found = search(probes, wanted, gallery, people)
    looked = [slow_search(p, w, gallery, people) for p, w in zip(probes, wanted, strict=True)]
    mated, unmated = [e for e in looked if e[0]], [e for e in looked if not e[0]]

    def rates(threshold: float) -> tuple[float, float]:
        alarms = sum(impostor >= threshold for _, _, impostor in unmated)
        hits = sum(ranks[0] <= k and mate >= threshold for ranks, mate, _ in mated)
        return alarms / len(unmated), hits / len(mated)

    thresholds = [np.inf, *(e[1] for e in mated), *(e[2] for e in looked), -np.inf]
    tried = [rates(t) for t in thresholds]
    for fpir in (0.1, 0.2, 0.3, 0.7, 1.0):
        best = max(tpir for alarms, tpir in tried if alarms <= fpir + 1e-12)
        measured, threshold = tpir_at_fpir(found, fpir, k)
        assert measured == pytest.approx(best)
        assert rates(threshold) == (rates(threshold)[0], pytest.approx(best))
        assert rates(threshold)[0] <= fpir + 1e-12
    curve = list(zip(*open_set_curve(found, k)[:2], strict=True))
    assert all(any(np.allclose(point, other) for other in tried) for point in curve)
    assert curve[-1] == pytest.approx((1.0, rank_rate(found, k)))


def test_area_is_that_of_the_rocs_where_everybody_is_within_k() -> None:
    probes, wanted, gallery, people = draw(3, True)
    found = search(probes, wanted, gallery, people)
    scores = np.where(found.mated, found.mate, found.impostor)
    assert open_set_area(found, 100) == pytest.approx(area_under_curve(scores, found.mated))
    assert open_set_area(found, 1) < open_set_area(found, 5)


def test_average_precision_known_answers() -> None:
    assert average_precision(np.array([1, 2, 3])) == 1.0
    # precision 1/2 at rank 2 and 0 before it
    assert average_precision(np.array([2])) == 0.25
    ranks = np.array([1, 4, 9])
    relevant = np.isin(np.arange(1, 12), ranks)
    usual = average_precision_score(relevant, -np.arange(11))
    before = np.mean([1, 1 / 3, 2 / 8])
    assert average_precision(ranks) == pytest.approx((usual + before) / 2)


def test_what_cannot_be_measured() -> None:
    probes, wanted, gallery, people = draw(0, False)
    found = search(probes, wanted, gallery, people)
    unmated = np.count_nonzero(~found.mated)
    assert np.isnan(tpir_at_fpir(found, 1 / (unmated + 1))[0])
    assert not np.isnan(tpir_at_fpir(found, 1 / unmated)[0])
    strangers = search(probes, np.full(40, NOBODY), gallery, people)
    assert np.isnan(rank_rate(strangers, 1))
    assert np.isnan(open_set_area(strangers))
    gallery[3] = np.nan
    with pytest.raises(DataError, match="1 of 30 gallery entries have an embedding that is not"):
        search(probes, wanted, gallery, people)
    with pytest.raises(DataError, match="expected probes to search with, got none"):
        search(probes[:0], wanted[:0], gallery, people)


def test_probes_without_an_image_are_never_found() -> None:
    probes, wanted, gallery, people = draw(1, False)
    found = search(probes, wanted, gallery, people)
    there = np.ones(43, np.bool_)
    there[[0, 20, 42]] = False
    person = np.full(43, 5)
    person[there] = wanted
    whole = found.with_missed(person, there)
    np.testing.assert_array_equal(whole.person, person)
    assert whole.probe[[0, 1, 42]].tolist() == [-1, 0, -1]
    np.testing.assert_array_equal(whole.rank[there], found.rank)
    assert whole.rank[~there].tolist() == [MISSED] * 3
    hits, mated = np.count_nonzero(found.rank <= 3), np.count_nonzero(found.mated)
    assert rank_rate(whole, 3) == hits / (mated + 3)
    tpir = tpir_at_fpir(found, 0.3)[0] * mated / (mated + 3)
    assert tpir_at_fpir(whole, 0.3)[0] == pytest.approx(tpir)
    assert open_set_area(whole) == pytest.approx(open_set_area(found) * mated / (mated + 3))
    for name, column in vars(whole.take(there)).items():
        np.testing.assert_array_equal(column, getattr(found, name))


def test_intervals_draw_people_with_all_their_probes() -> None:
    person = np.repeat([4, 7, 9, 9], [6, 2, 1, 3])
    hits = np.array([1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0])
    rng, means = np.random.default_rng(3), []
    for _ in range(4000):
        drawn = rng.choice([4, 7, 9], 3)
        rows = np.concatenate([np.flatnonzero(person == who) for who in drawn])
        means.append(hits[rows].mean())
    (ends,) = person_intervals(person, {"rank1": hits}, replicates=4000).values()
    np.testing.assert_allclose(ends, np.quantile(means, [0.025, 0.975]), atol=0.03)


def test_intervals_hold_the_metrics_of_mated_probes() -> None:
    probes, wanted, gallery, people = draw(1, False)
    found = search(probes, wanted, gallery, people)
    intervals = search_intervals(found, (1, 5), 500)
    assert list(intervals) == ["rank1", "rank5", "map"]
    measured = [rank_rate(found, 1), rank_rate(found, 5), mean_average_precision(found)]
    for (low, high), value in zip(intervals.values(), measured, strict=True):
        assert 0 <= low < value < high <= 1
    assert search_intervals(found, (1,), 500) == search_intervals(found, (1,), 500)
    assert search_intervals(found, (1,), 0) == {}
    assert search_intervals(found.take(~found.mated), (1,), 500) == {}
