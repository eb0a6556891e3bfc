import pandas as pd
import pytest

from lrfr_lightning.embedders import RawPixels, evaluate
from lrfr_lightning.protocols import EmbeddedVerification, write_results
from lrfr_lightning.reports.frame import results_frame
from lrfr_lightning.reports.report import write_report


def test_frame_and_csv_hold_every_number(tmp_path):
    results = evaluate(RawPixels(), EmbeddedVerification(20, 2, 2, resolutions=(112, 14)))
    frame = results_frame(results)
    assert frame["resolution"].tolist() == [112, 14]
    assert frame["metrics.accuracy"].tolist() == [r.metrics["accuracy"] for r in results]
    assert frame["counts.pairs"].tolist() == [40, 40]
    write_results(tmp_path / "results.json", results)
    read = pd.read_csv(write_report(tmp_path / "results.json").csv)
    assert read["metrics.auc"].tolist() == pytest.approx(frame["metrics.auc"].tolist())


def test_frame_has_ends_of_intervals_and_no_pictures(full):
    frame = results_frame(full[:1])
    assert frame["intervals.accuracy.low"].tolist() == [pytest.approx(0.88)]
    assert frame["intervals.accuracy.high"].tolist() == [pytest.approx(0.91)]
    assert not [name for name in frame if name.startswith(("curves", "examples", "outcomes"))]
