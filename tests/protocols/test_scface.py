"""SCface in its true layout, against a slow computation from the files, under each policy."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from slow_search import evaluate, pixels, ranks_of, rate

from lrfr_lightning.datasets import EmbeddedFaces, scface
from lrfr_lightning.datasets.embedded import write_scface_layout
from lrfr_lightning.protocols import SCfaceIdentification
from lrfr_lightning.protocols.outcomes import read_outcomes
from lrfr_lightning.utils.errors import ConfigError, DataError

PEOPLE = 6


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people, two mugshots the same; five probes of distance 1 and one of 3 have no face."""
    folder = tmp_path_factory.mktemp("scface")
    write_scface_layout(EmbeddedFaces(PEOPLE, 4, "test"), folder)
    mugshots = folder / "mugshot_frontal_cropped_all"
    shutil.copy(mugshots / "001_frontal.JPG", mugshots / "002_frontal.JPG")
    for person in range(1, 6):
        (folder / f"surveillance_cameras_distance_1/cam_2/00{person}_cam2_1.jpg").unlink()
    (folder / "surveillance_cameras_distance_3/cam_7/004_cam7_3.jpg").unlink()
    return folder


def slow_ranks(root: Path, distance: int) -> dict[tuple[int, int], int | None]:
    """Rank of each (person, camera), None without an image."""
    gallery = [
        (pixels(root / f"mugshot_frontal_cropped_all/00{p}_frontal.JPG"), p)
        for p in range(1, PEOPLE + 1)
    ]
    found: dict[tuple[int, int], int | None] = {}
    for person in range(1, PEOPLE + 1):
        for camera in range(1, 8):
            name = f"00{person}_cam{camera}_{distance}.jpg"
            path = root / f"surveillance_cameras_distance_{distance}/cam_{camera}" / name
            ranks = ranks_of(pixels(path), person, gallery)[0] if path.exists() else [None]
            found[person, camera] = ranks[0]
    return found


@pytest.mark.parametrize("failures", ["count_as_miss", "drop"])
def test_identification_equals_the_slow_computation(
    root: Path, tmp_path: Path, failures: str
) -> None:
    entry = {"protocol": "SCfaceIdentification", "root": str(root), "failures": failures}
    results = evaluate(tmp_path, entry)
    assert [r.protocol for r in results] == ["scface-d1", "scface-d2", "scface-d3"]
    for distance, result in enumerate(results, start=1):
        ranks = slow_ranks(root, distance)
        if failures == "drop":
            ranks = {key: rank for key, rank in ranks.items() if rank}

        def rank1(cameras: range, ranks: dict[tuple[int, int], int | None] = ranks) -> float:
            return rate([rank == 1 for (_, camera), rank in ranks.items() if camera in cameras])

        assert result.metrics["rank1"] == rank1(range(1, 8))
        assert result.metrics["rank1/day"] == rank1(range(1, 6))
        assert result.metrics["rank1/night"] == rank1(range(6, 8))
        for camera in range(1, 8):
            assert result.metrics[f"rank1/cam{camera}"] == rank1(range(camera, camera + 1))
        assert result.metrics["rank5"] == rate([0 < (rank or 0) <= 5 for rank in ranks.values()])
        missing = {1: 5, 2: 0, 3: 1}[distance]
        assert result.counts["failed"] == missing
        assert result.counts["probes"] == 42 - missing * (failures == "drop")
        # the two with the same mugshot are never first
        assert {ranks.get((1, 1)), ranks.get((2, 1))}.isdisjoint({1})
    assert results[0].metrics["rank1/cam2"] is not None
    correct = [read_outcomes(result.outcomes).correct.mean() for result in results]
    assert correct == [result.metrics["rank1"] for result in results]
    assert len({result.outcomes["items"] for result in results}) == 3


def test_a_camera_without_any_face_is_not_measured(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    shutil.rmtree(copy / "surveillance_cameras_distance_1/cam_2")
    protocol = SCfaceIdentification(str(copy), failures="drop")
    rng = np.random.default_rng(0)
    results = protocol.evaluate({None: rng.normal(size=(len(protocol.images), 8))}, "m")
    assert results[0].metrics["rank1/cam2"] is None
    assert results[0].metrics["rank1/cam1"] is not None


def test_missing_probes_are_an_error_unless_a_policy_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"6 of 126 probes are missing .*001_cam2_1.* and 1 more"):
        SCfaceIdentification(str(root))
    with pytest.raises(ConfigError, match="failures: expected one of .*got 'ignore'"):
        SCfaceIdentification(str(root), failures="ignore")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"got 6 of them, none of subjects 'test'"):
        SCfaceIdentification(str(root), subjects="test")
    with pytest.raises(DataError, match=r"got 0 of them"):
        SCfaceIdentification(str(tmp_path))


def test_the_test_subjects_are_those_after_the_training_ones(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scface.TRAINING_SUBJECTS == 50
    monkeypatch.setattr(scface, "TRAINING_SUBJECTS", 3)
    protocol = SCfaceIdentification(str(root), subjects="test", failures="drop")
    assert protocol.name == "scface-test"
    assert protocol.gallery.person.tolist() == [4, 5, 6]
    assert len(protocol.probes) == 3 * 21 - 3


def test_aligned_faces_can_be_degraded(tmp_path: Path, root: Path) -> None:
    protocol = SCfaceIdentification(
        str(root), failures="drop", resolutions=(28, 14), degraded="matrix"
    )
    rng = np.random.default_rng(0)
    vectors = {r: rng.normal(size=(len(protocol.images), 8)) for r in (28, 14)}
    results = protocol.evaluate(vectors, "m")
    assert [(r.protocol, r.resolution, r.gallery_resolution) for r in results[3:6]] == [
        (f"scface-d{d}", 28, 14) for d in (1, 2, 3)
    ]
    with pytest.raises(DataError, match="001_cam1_1.jpg: expected an aligned face of 112x112"):
        protocol.view(PEOPLE, 28)
