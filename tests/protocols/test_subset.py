"""Cheap versions of protocols for every epoch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.embedded import write_ijbc_layout, write_scface_layout
from lrfr_lightning.functional.subsets import spread
from lrfr_lightning.protocols import (
    EmbeddedIdentification,
    EmbeddedVerification,
    IJBIdentification,
    IJBVerification,
    SCfaceIdentification,
)
from lrfr_lightning.utils.errors import ConfigError


def test_a_share_of_each_group_evenly() -> None:
    groups = np.array([0, 0, 0, 0, 1, 0, 0, 0, 0, 2])
    assert spread(groups, 0.25).tolist() == [0, 4, 5, 9]
    assert spread(groups, 1.0).tolist() == list(range(10))
    assert spread(groups[:0], 0.5).tolist() == []
    for share in (0.0, -1.0, 1.1):
        with pytest.raises(ConfigError, match="expected a share above 0, up to 1"):
            spread(groups, share)


def test_verification_keeps_folds_and_kinds() -> None:
    protocol = EmbeddedVerification(40, 3, 4, resolutions=(112,))
    part = protocol.subset(0.5)
    assert (part.name, protocol.name) == ("embedded~0.5", "embedded")
    assert isinstance(part, EmbeddedVerification)
    assert len(protocol.pairs) == 80
    for fold in range(10):
        own = part.pairs.same[part.pairs.fold == fold]
        assert own.tolist() == [True] * 2 + [False] * 2
    assert len(part.positions(112)) < len(protocol.positions(112))


def vectors(protocol: Any) -> dict[int | None, np.ndarray]:
    """NaN where the protocol says that it needs nothing."""
    rng, made = np.random.default_rng(0), {}
    for resolution in protocol.embedded_resolutions:
        made[resolution] = np.full((len(protocol.images), 8), np.nan)
        needed = protocol.positions(resolution)
        made[resolution][needed] = rng.normal(size=(len(needed), 8))
    return made


def test_identification_keeps_kinds_of_probes() -> None:
    protocol = EmbeddedIdentification(20, 3, 0.5, 0.2, resolutions=(112,))
    part = protocol.subset(0.5)
    (whole,), (counted,) = (p.evaluate(vectors(p), "m") for p in (protocol, part))
    assert whole.counts["people"] == 10
    assert counted.counts == {
        "images": 30, "probes": 19, "mated": 10, "unmated": 9, "gallery": 11, "people": 5,
        "distractors": 6,
    }  # fmt: skip
    assert set(part.gallery.image) < set(protocol.gallery.image)


def test_scface_keeps_all_probes_of_some_people(tmp_path: Path) -> None:
    write_scface_layout(EmbeddedFaces(6, 4, "test"), tmp_path)
    (tmp_path / "surveillance_cameras_distance_1/cam_1/001_cam1_1.jpg").unlink()
    protocol = SCfaceIdentification(str(tmp_path), failures="count_as_miss")
    part = protocol.subset(0.5)
    results = part.evaluate(vectors(part), "m")
    assert [(r.protocol, r.counts["probes"], r.counts["failed"]) for r in results] == [
        ("scface~0.5-d1", 21, 1), ("scface~0.5-d2", 21, 0), ("scface~0.5-d3", 21, 0)
    ]  # fmt: skip
    assert len(protocol.wanted.image) == 126


def test_ijb_keeps_kinds_of_pairs_and_both_kinds_of_probes(tmp_path: Path) -> None:
    write_ijbc_layout(EmbeddedFaces(10, 4, "test"), tmp_path)
    protocol = IJBVerification(str(tmp_path))
    part = protocol.subset(0.2)
    (whole,), (counted,) = (p.evaluate(vectors(p), "m") for p in (protocol, part))
    assert (whole.counts["genuine"], counted.counts["genuine"]) == (10, 2)
    assert counted.counts["impostor"] == -(-whole.counts["impostor"] // 5)
    one = part.pool(vectors(protocol)[112], part.first)
    both = protocol.pool(vectors(protocol)[112], protocol.first)
    same = np.flatnonzero(protocol.same)[[0, 5]]
    np.testing.assert_allclose(one[part.of_first[:2]], both[protocol.of_first[same]])
    search = IJBIdentification(str(tmp_path)).subset(0.4)
    (searched,) = search.evaluate(vectors(search), "m")
    assert (searched.counts["mated"], searched.counts["gallery"]) == (2, 2)
    assert searched.counts["unmated"] == 2
