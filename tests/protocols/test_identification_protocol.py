"""Identification at several resolutions, against slow computations."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slow_search import evaluate, ranks_of, rate

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.embedded import verification_pairs, write_lfw_layout
from lrfr_lightning.datasets.search import Templates
from lrfr_lightning.protocols import (
    EmbeddedIdentification,
    IdentificationProtocol,
    LFWIdentification,
)
from lrfr_lightning.protocols.outcomes import read_outcomes
from lrfr_lightning.utils.errors import DataError


def make(faces: Any, **changes: Any) -> IdentificationProtocol:
    """Three of four people enrolled with two images each; a distractor; the fourth is unmated."""
    image = np.array([0, 1, 8, 9, 16, 17])
    gallery = Templates.per_person(image, faces.labels[image] + 1).and_nobody(np.array([31]))
    mated = np.array([2, 3, 4, 10, 11, 18, 19])
    probes = Templates.single(mated, faces.labels[mated] + 1).and_nobody(np.arange(24, 30))
    return IdentificationProtocol("toy", faces, gallery, probes, (112, 14), **changes)


def draw(faces: Any) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(1)
    own = rng.normal(size=(4, 6))[faces.labels]
    return {r: own + rng.normal(size=own.shape) for r in (112, 14)}


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.sqrt((vector**2).sum())


@pytest.mark.parametrize(
    ("degraded", "shown"),
    [
        ("both", [(112, 112), (14, 14)]),
        ("first", [(112, 112), (14, 112)]),
        ("second", [(112, 112), (112, 14)]),
        ("matrix", [(112, 112), (112, 14), (14, 112), (14, 14)]),
    ],
)
def test_every_comparison_equals_the_slow_computation(
    faces: Any, degraded: Any, shown: list
) -> None:
    protocol, vectors = make(faces, degraded=degraded), draw(faces)
    results = protocol.evaluate(vectors, "m")
    assert len(results) == len(shown)
    for result, (probe, gallery) in zip(results, shown, strict=True):
        enrolled = [
            (unit(unit(vectors[gallery][i]) + unit(vectors[gallery][i + 1])), who)
            for who, i in ((1, 0), (2, 8), (3, 16))
        ] + [(unit(vectors[gallery][31]), -5)]
        mated = [
            ranks_of(unit(vectors[probe][i]), int(faces.labels[i]) + 1, enrolled)[0]
            for i in (2, 3, 4, 10, 11, 18, 19)
        ]
        for k in (1, 5, 20):
            assert result.metrics[f"rank{k}"] == rate([own[0] <= k for own in mated])
        assert result.curves["cmc"] == [rate([o[0] <= k for o in mated]) for k in range(1, 5)]
        assert result.degraded == degraded
    if degraded == "matrix":
        assert [(r.resolution, r.gallery_resolution) for r in results] == shown
    assert {result.counts["distractors"] for result in results} == {1}


def test_a_perfect_model_and_one_that_sees_nothing(faces: Any) -> None:
    protocol = make(faces)
    people = np.where(np.arange(32) == 31, 4, faces.labels)  # the distractor is like nobody
    result = protocol.evaluate({r: np.eye(5)[people] for r in (112, 14)}, "m")[0]
    assert result.metrics["rank1"] == result.metrics["map"] == result.metrics["auc"] == 1.0
    assert result.metrics["tpir@fpir=0.2"] == 1.0
    assert np.isnan(result.metrics["tpir@fpir=0.1"])  # six unmated probes
    assert 0 < result.thresholds["tpir@fpir=0.2"] <= 1
    blind = protocol.evaluate({r: np.ones((32, 4)) for r in (112, 14)}, "m")[0]
    assert blind.metrics["rank1"] == 0.0
    assert blind.metrics["auc"] == 0.0


def test_only_what_is_needed_is_embedded(faces: Any) -> None:
    protocol, vectors = make(faces, degraded="first"), draw(faces)
    expected = protocol.evaluate(vectors, "m")
    for resolution in (112, 14):
        unneeded = np.setdiff1d(np.arange(32), protocol.positions(resolution))
        assert len(unneeded) > 0
        vectors[resolution][unneeded] = np.nan
    for result, again in zip(protocol.evaluate(vectors, "m"), expected, strict=True):
        assert again.metrics == pytest.approx(result.metrics, nan_ok=True)
    vectors[14][2] = 0
    with pytest.raises(DataError, match="1 of 13 probes have an embedding that is not finite"):
        protocol.evaluate(vectors, "m")


def test_outcomes_say_which_mated_probes_are_found_first(faces: Any) -> None:
    protocol, vectors = make(faces), draw(faces)
    result = protocol.evaluate(vectors, "m")[1]
    outcomes = read_outcomes(result.outcomes)
    assert (outcomes.kind, outcomes.metric) == ("identification", "rank1")
    assert outcomes.correct.mean() == result.metrics["rank1"]
    assert outcomes.people is not None
    assert outcomes.people.tolist() == [[who, who] for who in (1, 1, 1, 2, 2, 3, 3)]
    # the same probes in another gallery are another test
    other = make(faces)
    other.gallery = other.gallery.take(np.arange(3))
    again = [p.evaluate(vectors, "m")[1].outcomes["items"] for p in (protocol, make(faces), other)]
    assert again[0] == again[1] != again[2]


def test_the_hardest_are_the_mates_and_impostors_that_decided(faces: Any) -> None:
    protocol, vectors = make(faces), draw(faces)
    protocol.examples = 2
    result = protocol.evaluate(vectors, "m")[1]
    looked = protocol.look(vectors, "m", (14, 14)).found
    kinds = [example["kind"] for example in result.examples]
    assert kinds == ["genuine"] * 2 + ["impostor"] * 2
    assert result.examples[0]["score"] == pytest.approx(np.nanmin(looked.mate), abs=1e-6)
    assert result.examples[2]["score"] == pytest.approx(looked.impostor.max(), abs=1e-6)
    worst = int(np.nanargmin(looked.mate))
    assert result.examples[0]["first"] == faces.describe(protocol.probes.image[worst])
    entry = protocol.gallery.first_image[looked.mate_at[worst]]
    assert result.examples[0]["second"] == faces.describe(entry)
    assert len(result.curves["sample_score"]) == 7 + 13
    assert sum(result.curves["genuine_density"]) == pytest.approx(1, abs=1e-4)
    protocol.examples, protocol.intervals = 0, 0
    bare = protocol.evaluate(vectors, "m")[1]
    assert (bare.examples, bare.intervals) == ([], {})
    assert set(bare.curves) == {
        "rank", "cmc", "fpir", "fnir", "score_edges", "genuine_density", "impostor_density"
    }  # fmt: skip
    assert list(result.intervals) == ["rank1", "rank5", "rank20", "map"]


def test_templates() -> None:
    templates = Templates.per_person(np.array([5, 3, 9, 4]), np.array([7, 2, 7, 8]))
    assert templates.person.tolist() == [2, 7, 8]
    assert templates.template.tolist() == [1, 0, 1, 2]
    kept = templates.and_nobody(np.array([1])).take(np.array([3, 1]))
    assert (kept.image.tolist(), kept.template.tolist()) == ([5, 9, 1], [1, 1, 0])
    assert kept.person.tolist() == [-1, 7]


def test_embedded_faces(tmp_path: Path) -> None:
    size = {"identities": 12, "images_per_identity": 3, "distractors": 0.25}
    results = evaluate(
        tmp_path, {"protocol": "EmbeddedIdentification", "resolutions": [112, 7], **size}
    )
    assert [result.resolution for result in results] == [112, 7]
    assert results[0].counts == {
        "images": 36, "probes": 21, "mated": 12, "unmated": 9, "gallery": 15, "people": 6,
        "distractors": 9,
    }  # fmt: skip
    protocol = EmbeddedIdentification(**size)
    shown = {who: set(protocol.probes.image[protocol.probes.person == who]) for who in range(12)}
    for image, who in zip(protocol.gallery.image, protocol.gallery.person, strict=True):
        if who >= 0:
            assert image // 3 == who
            assert shown[who] == set(range(3 * who, 3 * who + 3)) - {image}


def test_lfw_with_people_of_one_image(tmp_path: Path) -> None:
    faces = EmbeddedFaces(12, 3, "test")
    write_lfw_layout(faces, tmp_path, verification_pairs(12, 3, 1, folds=2))
    counts = [3, 1, 2] * 4
    lines = [f"{name}\t{count}" for name, count in zip(faces.identities, counts, strict=True)]
    (tmp_path / "people.txt").write_text("\n".join(["12", *lines]) + "\n")
    protocol = LFWIdentification(str(tmp_path))
    assert len(protocol.gallery) == 8
    mated = protocol.probes.person >= 0
    assert (mated.sum(), (~mated).sum()) == (4 * 2 + 4 * 1, 4)
    names = [protocol.images.describe(i) for i in protocol.gallery.image]
    assert all(name.endswith("_0001.jpg") for name in names)
    alone = [protocol.images.describe(i).split("/")[-2] for i in protocol.probes.image[~mated]]
    assert sorted(alone) == sorted(faces.identities[1::3])


@pytest.mark.real
def test_lfw_counts(lrfr_data: Path) -> None:
    protocol = LFWIdentification(str(lrfr_data / "lfw-112"))
    mated = protocol.probes.person >= 0
    assert (len(protocol.gallery), mated.sum(), (~mated).sum()) == (1680, 7484, 4069)
