"""Seeded pairs of labelled images, and the tenth of LFW's people on which choices are made."""

import numpy as np
import pytest

from lrfr_lightning.datasets import EmbeddedFaces, LFWPeople, VerificationPairs
from lrfr_lightning.datasets.embedded import verification_pairs, write_lfw_layout
from lrfr_lightning.datasets.lfw import held_out
from lrfr_lightning.datasets.pairs import seeded_pairs
from lrfr_lightning.protocols import LFWHeldOut
from lrfr_lightning.utils.errors import ConfigError, DataError

LABELS = np.repeat(np.arange(40), np.resize([1, 2, 3, 9], 40))


def test_pairs_are_balanced_distinct_and_true():
    pairs = seeded_pairs(LABELS, 100, folds=5, per_identity=6)
    assert np.array_equal(LABELS[pairs.first] == LABELS[pairs.second], pairs.same)
    rows = {frozenset(pair) for pair in zip(pairs.first, pairs.second, strict=True)}
    assert len(rows) == len(pairs)
    for number in range(5):
        assert (pairs.fold == number).sum() == 2 * (pairs.same & (pairs.fold == number)).sum()
    own = LABELS[pairs.first[pairs.same]]
    assert np.bincount(own).max() <= 6


def test_folds_share_no_person():
    pairs = seeded_pairs(LABELS, 100, folds=5)
    people = [
        {*LABELS[pairs.first[pairs.fold == n]], *LABELS[pairs.second[pairs.fold == n]]}
        for n in range(5)
    ]
    assert sum(map(len, people)) == len(set().union(*people))


def test_people_stand_beside_their_pairs():
    pairs = seeded_pairs(LABELS, 100, folds=5)
    assert np.array_equal(pairs.people, np.stack([LABELS[pairs.first], LABELS[pairs.second]], 1))
    embedded = verification_pairs(20, 3, 2)
    assert np.array_equal(embedded.people[:, 1], embedded.second // 3)


def test_people_that_contradict_the_pairs():
    people = np.array([[1, 1], [1, 2], [3, 3]], np.int32)
    same, index = np.array([True, True, True]), np.arange(3)
    with pytest.raises(DataError, match="1 of 3 pairs say the contrary .* the first is pair 1"):
        VerificationPairs(index, index, same, index, people)


def test_seed_decides():
    one, same, other = (seeded_pairs(LABELS, 50, 5, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.first, same.first)
    assert not np.array_equal(one.first, other.first)


def test_too_few_people():
    with pytest.raises(DataError, match="10 folds of 3 people: fold 0 has 1 people"):
        seeded_pairs(np.repeat([0, 1, 2], 3), 10)


def test_held_out_tenth_is_fixed_and_disjoint():
    names = [f"p{i}" for i in range(57)]
    assert len(held_out(names)) == 5
    assert held_out(reversed(names)) == held_out(names)


def test_parts_and_protocol_share_nobody(tmp_path):
    faces = EmbeddedFaces(200, 2, "test")
    write_lfw_layout(faces, tmp_path, verification_pairs(200, 2, 2))
    listed = "\n".join(["200", *(f"{name}\t2" for name in faces.identities)])
    (tmp_path / "peopleDevTrain.txt").write_text(listed)
    train = LFWPeople(str(tmp_path), part="train")
    away = LFWPeople(str(tmp_path), part="held-out")
    assert (train.num_classes, away.num_classes) == (180, 20)
    assert not {*train.identities} & {*away.identities}
    protocol = LFWHeldOut(str(tmp_path), resolutions=(112,))
    assert protocol.pairs.same.sum() == 20
    shown = {str(name).split("/")[0] for name in protocol.images.names}
    assert shown == {*away.identities}
    for same, a, b in zip(protocol.pairs.same, protocol.pairs.first, protocol.pairs.second,
                          strict=True):  # fmt: skip
        people = {str(protocol.images.names[i]).split("/")[0] for i in (a, b)}
        assert len(people) == (1 if same else 2)
    with pytest.raises(ConfigError, match="part of the people: expected one of"):
        LFWPeople(str(tmp_path), part="heldout")
