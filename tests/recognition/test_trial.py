"""Searches on LFW's layout with invented people, counted again by hand; real faces."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from small_model import write_checkpoint

from lrfr_lightning.backbones import MobileFaceNet
from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces, LFWPeople
from lrfr_lightning.recognition import Recogniser, calibrate, enrol, open_model
from lrfr_lightning.recognition.calibration import Wish
from lrfr_lightning.recognition.trial import Chosen, half_enrolled, measure, three_images
from lrfr_lightning.utils.errors import ConfigError, DataError

FACES = EmbeddedFaces(60, 3)


def test_rates_at_the_calibrated_threshold_are_those_of_a_slow_search(recogniser):
    order = np.random.default_rng(0).permutation(60)
    strangers = Chosen(FACES, order[:30])
    assert len(strangers) == 90
    assert np.array_equal(strangers.image(0), FACES.image(3 * int(np.sort(order[:30])[0])))
    made = calibrate(recogniser, strangers, "embedded", Wish(0.1, None, (112, 28)))
    knows = Recogniser(recogniser.embedder, made)
    people = order[30:]
    (high, low) = measure(knows, [half_enrolled(FACES, people, [112, 28], flip=False)])
    assert (high.resolution, low.resolution) == (112, 28)
    assert (low.counts["gallery"], low.counts["mated"], low.counts["unmated"]) == (15, 30, 45)
    gallery = recogniser.embed([FACES.image(3 * int(p)) for p in people[:15]]).embedding
    limit = made.search.limit(28, 15)
    hits, alarms = [], []
    for place, person in enumerate(people):
        mated = place < 15
        images = [FACES.image(3 * int(person) + i) for i in range(mated, 3)]
        for scores in recogniser.embed(images, 28).embedding @ gallery.T:
            passed = scores.max() >= limit
            (hits if mated else alarms).append(passed and (not mated or scores.argmax() == place))
    assert low.metrics["tpir@calibrated"] == pytest.approx(np.mean(hits))
    assert low.metrics["fpir@calibrated"] == pytest.approx(np.mean(alarms))
    assert low.examples == []


def test_thresholds_and_people_are_needed(recogniser):
    protocol = half_enrolled(FACES, np.arange(60), [112], flip=False)
    with pytest.raises(ConfigError, match="expected a recogniser with thresholds"):
        measure(recogniser, [protocol])
    with pytest.raises(DataError, match="a gallery of 1,000 people needs as many"):
        three_images(FACES, np.arange(60), [112], flip=False)


@pytest.mark.real
def test_a_thousand_people_and_those_of_three_images(lrfr_data):
    people = LFWPeople(str(lrfr_data / "lfw-112"), "peopleDevTest.txt")
    protocol = three_images(people, np.arange(people.num_classes), [14], flip=False)
    assert len(protocol.gallery) == 1000
    counts = np.bincount(protocol.gallery.template)
    assert counts.max() == 3
    enrolled = np.isin(protocol.probes.person, protocol.gallery.person)
    # whoever is looked for was enrolled by three images
    wanted = np.isin(protocol.gallery.person, protocol.probes.person[enrolled])
    assert set(counts[wanted]) == {3}
    assert len(np.intersect1d(protocol.probes.image, protocol.gallery.image)) == 0


@pytest.mark.real
def test_real_people_are_found_and_strangers_are_not(lrfr_data: Path, tmp_path: Path):
    model = open_model(
        str(lrfr_data / "weights" / "mobilefacenet-casia.safetensors"), MobileFaceNet()
    )
    strangers = LFWPeople(str(lrfr_data / "lfw-112"), part="held-out")
    made = calibrate(Recogniser(model), strangers, "held out", Wish(0.02, None, (28,), most=200))
    knows = Recogniser(model, made)
    people = LFWPeople(str(lrfr_data / "lfw-112"), "peopleDevTest.txt", min_images=4)
    rows = [np.flatnonzero(people.labels == label) for label in range(60)]
    for label, own in enumerate(rows[:40]):
        folder = tmp_path / people.identities[label]
        folder.mkdir()
        for i in own[:3]:
            PillowImage.fromarray(people.image(int(i))).save(folder / f"{i}.png")
    gallery = enrol(knows, tmp_path)
    probes = knows.embed([people.image(int(own[3])) for own in rows], 28)
    answers = knows.identify_embedded(probes, gallery)
    named = [a.matches[0][0] if a.decision == "known" else None for a in answers]
    right = sum(n == p for n, p in zip(named[:40], people.identities[:40], strict=True))
    assert right >= 30
    assert sum(name is not None for name in named[40:]) <= 2


@pytest.mark.real
def test_the_command_writes_results(lrfr_data, tmp_path, monkeypatch, make_task):
    monkeypatch.chdir(tmp_path)
    model = write_checkpoint(tmp_path / "small.ckpt", make_task)
    few = [
        "--resolutions",
        "14",
        "--calibrated",
        "14",
        "--calibrate_on",
        "half",
        "--output",
        "t.json",
    ]
    results = main(["trial", "--model", model, "--root", str(lrfr_data / "lfw-112"), *few])
    written = json.loads(Path("t.json").read_text())
    assert [r["protocol"] for r in written["results"]] == ["half-enrolled", "three-images-1000"]
    assert written["config"]["thresholds"]["faces"] == "855 of LFW peopleDevTest"
    assert 0 <= results[0].metrics["fpir@calibrated"] < 0.2
    # half of the people make no threshold for a gallery of 1,000
    assert "fpir@calibrated" not in results[1].metrics
