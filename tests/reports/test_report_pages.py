import json
from base64 import b64decode
from dataclasses import replace

import pytest
from page import Page

from lrfr_lightning.protocols.result import write_results
from lrfr_lightning.reports.blocks import group
from lrfr_lightning.reports.drawing import png_bytes
from lrfr_lightning.reports.figures import accuracy_figure
from lrfr_lightning.reports.html import Provenance, render_html
from lrfr_lightning.reports.report import load_results, write_report
from lrfr_lightning.reports.styles import line_styles
from lrfr_lightning.utils.errors import DataError


@pytest.fixture
def png(results):
    return png_bytes(accuracy_figure(group(results[:3]), line_styles(["base"])))


def test_page_needs_nothing_else(two_blocks, png):
    page = Page(render_html(two_blocks, images={"faces at 7 px": png}))
    images = [link for link in page.links if not link.startswith("#")]
    assert [b64decode(link.removeprefix("data:image/png;base64,")) for link in images] == [png]
    assert not {"script", "link", "iframe", "object", "base"} & set(page.tags)
    assert "faces at 7 px" in page.text


def test_page_shows_every_figure_and_table(two_blocks):
    page = Page(render_html(two_blocks))
    conditions = ("standard · flip: yes", "deck · flip: no")
    expected = [
        f"{what}, lfw-devtest · {condition}"
        for condition in conditions
        for what in ("accuracy against resolution", *(f"ROC at {px} px" for px in (112, 28, 7)))
    ]
    assert page.labels == ["Contents", *expected]
    assert page.tags.count("svg") == 8
    assert page.tags.count("table") == 6
    assert len(page.ids) == len(set(page.ids))


def test_page_says_what_is_behind_the_numbers(results):
    text = Page(render_html(results, [Provenance("base, tuned", "torch 2.6.0")])).text
    for part in ("99.6 ± 1.2", "99.63 ± 1.20", "81.25", "0.2468", "bicubic, antialias"):
        assert part in text
    assert "1,720 images, 1,000 pairs, 500 genuine, 500 impostor, 10 folds" in text
    assert "base, tuned: torch 2.6.0" in text


def test_names_are_inert(results, png):
    name = '--><script>alert("1")</script><img src=x onerror=alert(1)>'
    odd = replace(results[0], model=name, protocol=name, down=name)
    html = render_html([odd], [Provenance(name, name, name)], {name: png})
    page = Page(html)
    assert "<script" not in html
    assert "<img src=x" not in html
    assert name in page.text
    assert page.tags.count("img") == 1


def test_page_repeats_itself(results):
    assert render_html(results) == render_html(results)


def test_report_of_two_files(results, tmp_path):
    write_results(tmp_path / "one" / "base.json", results[:3])
    write_results(tmp_path / "tuned.json", results[3:])
    paths = write_report([tmp_path / "one" / "base.json", tmp_path / "tuned.json"])
    assert paths.html == tmp_path / "one" / "report.html"
    found = sorted(path.name for path in (tmp_path / "one").iterdir())
    names = ["accuracy.png", "base.json", "report.html", "report.md"]
    names += ["report.tex", "results.csv"]
    assert found == names
    assert "| tuned | 99.0 ± 1.2 |" in paths.markdown.read_text(encoding="utf-8")
    text = Page(paths.html.read_text(encoding="utf-8")).text
    assert "2 models: base, tuned" in text
    assert "base: python " in text


def test_report_repeats_itself_elsewhere(results, tmp_path):
    source = tmp_path / "results.json"
    write_results(source, results)
    reports = [write_report(str(source), tmp_path / "new" / name) for name in "ab"]
    for kind in ("html", "markdown", "latex", "figure", "csv"):
        first, second = (getattr(report, kind) for report in reports)
        assert first.read_bytes() == second.read_bytes()


def test_report_without_versions(results, tmp_path):
    source = tmp_path / "results.json"
    write_results(source, results)
    content = json.loads(source.read_text())
    del content["versions"]
    source.write_text(json.dumps(content))
    assert "How it was measured" not in write_report(source).html.read_text(encoding="utf-8")


def test_same_model_in_two_files(results, tmp_path):
    for name in ("a.json", "b.json"):
        write_results(tmp_path / name, results)
    with pytest.raises(DataError, match=r"'base' has two results for 28 px .* rename the model"):
        write_report([tmp_path / "a.json", tmp_path / "b.json"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_empty_results(tmp_path):
    write_results(tmp_path / "empty.json", [])
    with pytest.raises(DataError, match=r"empty\.json holds no results"):
        write_report(tmp_path / "empty.json")
    with pytest.raises(DataError, match="no results file given"):
        load_results([])
