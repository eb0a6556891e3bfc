"""The page in a browser: offline, whole, on a desk and on a phone, light and dark."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from lrfr_lightning.protocols.result import write_results
from lrfr_lightning.reports.report import write_report

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium")

SIZES = """() => [...document.querySelectorAll("figure svg, figure img")].map(drawn => {
    const box = drawn.getBoundingClientRect();
    return Math.min(box.width, box.height, drawn.complete === false ? 0 : Infinity,
                    drawn.naturalWidth ?? Infinity);
})"""
COLOURS = """() => [document.body, document.querySelector("figure svg text")].map(
    (element, n) => getComputedStyle(element)[n ? "fill" : "backgroundColor"])"""


@pytest.fixture(scope="module")
def report(full: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_results(folder / "results.json", full, {"flip": False})
    return write_report(folder / "results.json").html


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.mark.parametrize(
    ("scheme", "width", "colours"),
    [
        ("light", 1280, ["rgb(255, 255, 255)", "rgb(36, 41, 47)"]),
        ("dark", 390, ["rgb(17, 22, 29)", "rgb(230, 237, 243)"]),
    ],
)
def test_page_is_whole_and_quiet(
    browser: Browser, report: Path, scheme: Any, width: int, colours: list[str]
) -> None:
    faults: list[str] = []
    requests: list[str] = []
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri(), wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    sizes = page.evaluate(SIZES)
    # 22 figures, and 10 results with 8 pictures each
    assert len(sizes) == 22 + 10 * 8
    assert min(sizes) > 0
    assert page.evaluate(COLOURS) == colours
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults == []
    assert [url for url in requests if not url.startswith("data:")] == [report.as_uri()]
    context.close()
