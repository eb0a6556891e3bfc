"""Published figures of the pretrained recogniser, measured again."""

from pathlib import Path

import pytest
import yaml

from lrfr_lightning.cli.main import main
from lrfr_lightning.protocols import LFWVerification, read_results

CONFIG = Path(__file__).parents[2] / "experiments" / "evaluation" / "lfw_devtest.yaml"
PUBLISHED = {112: 98.2, 28: 96.0, 14: 61.9, 7: 65.3}
"""Accuracy in percent by resolution, px; what nobody published is left out, a fifth of the time."""


@pytest.mark.real
@pytest.mark.timeout(600)
def test_pretrained_mobilefacenet_on_devtest(
    lrfr_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFR_DATA", str(lrfr_data))
    config = yaml.safe_load(CONFIG.read_text())
    config["protocols"][0]["init_args"]["resolutions"] = sorted(PUBLISHED, reverse=True)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    output = tmp_path / "results.json"
    main(["evaluate", "--config", str(tmp_path / "config.yaml"), "--output", str(output)])
    results = read_results(output)
    accuracy = {(r.model, r.resolution): 100 * (r.metrics["accuracy"] or 0) for r in results}
    for resolution, published in PUBLISHED.items():
        measured = accuracy["mobilefacenet-casia", resolution]
        assert measured == pytest.approx(published, abs=0.4)
        assert 60 < accuracy["raw-pixels", resolution] < 67
    assert {r.counts["genuine"] for r in results} == {500}


@pytest.mark.real
def test_deck_setting_differs_from_standard(lrfr_data: Path) -> None:
    deck = LFWVerification(str(lrfr_data / "lfw-112"), setting="deck")
    assert str(deck.down) == "bilinear, no antialias"
