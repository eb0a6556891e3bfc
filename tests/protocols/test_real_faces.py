"""Published figures of the pretrained recogniser, measured again."""

from pathlib import Path

import pytest

from lrfr_lightning.cli.main import main
from lrfr_lightning.protocols import LFWVerification, read_results

CONFIG = Path(__file__).parents[2] / "experiments" / "evaluation" / "lfw_devtest.yaml"


@pytest.mark.real
@pytest.mark.timeout(600)
def test_pretrained_mobilefacenet_on_devtest(
    lrfr_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFR_DATA", str(lrfr_data))
    main(["evaluate", "--config", str(CONFIG), "--output", str(tmp_path / "results.json")])
    results = read_results(tmp_path / "results.json")
    accuracy = {(r.model, r.resolution): 100 * (r.metrics["accuracy"] or 0) for r in results}
    for resolution, published in {112: 98.2, 28: 96.0, 14: 61.9, 7: 65.3}.items():
        measured = accuracy["mobilefacenet-casia", resolution]
        assert measured == pytest.approx(published, abs=0.4)
        assert 60 < accuracy["raw-pixels", resolution] < 67
    assert {r.counts["genuine"] for r in results} == {500}


@pytest.mark.real
def test_deck_setting_differs_from_standard(lrfr_data: Path) -> None:
    deck = LFWVerification(str(lrfr_data / "lfw-112"), setting="deck")
    assert str(deck.down) == "bilinear, no antialias"
