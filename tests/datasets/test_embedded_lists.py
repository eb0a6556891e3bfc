import numpy as np
import pytest

from lrfr_lightning.datasets.embedded import gallery_and_probes, verification_pairs
from lrfr_lightning.utils.errors import DataError


@pytest.mark.parametrize(
    ("identities", "images", "per_fold", "folds"), [(100, 4, 30, 10), (23, 2, 2, 10), (7, 5, 20, 3)]
)
def test_pairs_are_balanced_disjoint_and_unique(
    identities: int, images: int, per_fold: int, folds: int
) -> None:
    pairs = verification_pairs(identities, images, per_fold, folds)
    same_person = pairs.first // images == pairs.second // images
    np.testing.assert_array_equal(pairs.same, same_person)
    counts = [(pairs.same & (pairs.fold == fold)).sum() for fold in range(folds)]
    assert counts == [per_fold] * folds
    assert pairs.same.mean() == 0.5
    both = np.stack([pairs.first, pairs.second])
    assert (both[0] != both[1]).all()
    assert len(np.unique(np.sort(both, axis=0), axis=1).T) == 2 * per_fold * folds
    people = [set((both[:, pairs.fold == fold] // images).ravel()) for fold in range(folds)]
    assert sum(map(len, people)) == len(set.union(*people))
    assert both.min() >= 0
    assert both.max() < identities * images


def test_pairs_can_use_up_every_pair() -> None:
    pairs = verification_pairs(4, 2, 4, folds=1)
    assert len(np.unique(np.stack([pairs.first, pairs.second])[:, pairs.same], axis=1).T) == 4


def test_pairs_follow_from_the_seed() -> None:
    first, again = verification_pairs(40, 3, 5, seed=1), verification_pairs(40, 3, 5, seed=1)
    other = verification_pairs(40, 3, 5, seed=2)
    np.testing.assert_array_equal(first.first, again.first)
    assert (first.first != other.first).any()
    assert first.first.dtype == first.second.dtype == first.fold.dtype == np.int64
    assert first.same.dtype == np.bool_


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 4, 2), "at least 2 identities"),
        ((20, 1, 2), "at least 2 images each, got 20 with 1"),
        ((20, 4, 0), "at least 1 pair"),
        ((20, 4, 2, 0), "at least 1 pair and 1 fold, got 2 and 0"),
        ((20, 4, 13), "12 genuine and 16 impostor pairs, fewer than the 13"),
        ((15, 4, 2), "a fold of 1 people"),
    ],
)
def test_impossible_pairs(arguments: tuple, message: str) -> None:
    with pytest.raises(DataError, match=message):
        verification_pairs(*arguments)


def test_gallery_and_probes() -> None:
    lists = gallery_and_probes(20, 4, enrolled=0.5, distractors=0.2, seed=3)
    people = [
        set((indices // 4).tolist())
        for indices in (lists.gallery, lists.unmated_probes, lists.distractors)
    ]
    assert list(map(len, people)) == [10, 6, 4]
    assert len(set.union(*people)) == 20
    assert len(lists.gallery) == 10
    assert set((lists.mated_probes // 4).tolist()) == people[0]
    images = np.concatenate(
        [lists.gallery, lists.mated_probes, lists.unmated_probes, lists.distractors]
    )
    assert sorted(images.tolist()) == list(range(80))
    assert images.dtype == np.int64


def test_gallery_of_everybody() -> None:
    lists = gallery_and_probes(5, 2, enrolled=1.0)
    assert len(lists.gallery) == len(lists.mated_probes) == 5
    assert len(lists.unmated_probes) == len(lists.distractors) == 0


@pytest.mark.parametrize(
    ("enrolled", "distractors"), [(0.0, 0.1), (0.8, 0.4), (0.5, -0.2), (1.2, 0.0)]
)
def test_shares_that_do_not_fit(enrolled: float, distractors: float) -> None:
    with pytest.raises(DataError, match=f"got enrolled={enrolled}, distractors={distractors}"):
        gallery_and_probes(20, 4, enrolled, distractors)
