"""The page in a browser, served by the command: photographs, slider, decisions."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from served import encoded

from lrfr_lightning.datasets import EmbeddedFaces

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium: apt-get install chromium")

COMMAND = "from lrfr_lightning.cli.main import console; console()"
DROP = """([side, name, bytes]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([Uint8Array.from(bytes)], name));
    const drop = new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true});
    document.getElementById(side).querySelector(".faces").dispatchEvent(drop);
}"""


@pytest.fixture(scope="module")
def address(models: Any) -> Iterator[str]:
    """``lrfr demo`` of two models until Ctrl-C, which has to end it cleanly."""
    models_and_thresholds = [
        *("--model", *map(str, models.checkpoints)),
        *("--thresholds", str(models.thresholds)),
    ]
    # where the tests run in the background it would be ignored, there and in what they start
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "demo", *models_and_thresholds, "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    assert process.stdout
    yield process.stdout.readline().split(" at ")[-1].strip()
    assert process.stdout.readline() == "Ctrl-C ends it\n"
    process.send_signal(signal.SIGINT)
    rest, faults = process.communicate(timeout=10)
    assert (process.returncode, rest, faults) == (0, "\nended\n", "")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


class Watched:
    """A page, what it asked for and what went wrong."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.page = context.new_page()
        self.requests: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.goto(address)
        expect(self.page.locator("#answers tr").first).to_be_visible()


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1100, "height": 1000})
    watched = Watched(context, address)
    yield watched
    outside = [u for u in watched.requests if not u.startswith((address, "data:image/png;base64,"))]
    assert outside in ([], ["data:,"])
    context.close()


@pytest.fixture(scope="module")
def faces() -> list[np.ndarray]:
    """Two that are not among the examples, the second shrunk to 50 px."""
    drawn = EmbeddedFaces(2, 1, seed=5, cache=False)
    return [drawn.image(0), drawn.image(1)[::2, ::2][:50, :50]]


def rows(page: Page) -> list[list[str]]:
    """What the table says of each model: name, similarity, decision, threshold, rate."""
    lines = page.locator("#answers tr").all()
    return [line.locator("th, td:not(:has(.scale))").all_inner_texts() for line in lines]


def set_slider(page: Page, px: int) -> None:
    page.locator("#stops button", has_text=re.compile(rf"^{px} px$")).click()
    side = page.locator("#probe figure").first
    expect(side).to_contain_text(re.compile(rf"^{px}x{px} px"))


def expected(
    models: Any, one: np.ndarray, other: np.ndarray, px: int, reference: int = 112
) -> list[list[str]]:
    """The rows of both models as their recognisers compute them."""
    lines = []
    for own in models.recognisers:
        first, second = own.embed([one], reference), own.embed([other], px)
        score = float(first.embedding[0] @ second.embedding[0])
        table = own.thresholds.pairs if own.thresholds else None
        limit = table.limit(reference, px) if table else None
        if limit is None:
            lines.append([f"{score:.3f}", "not decided", "none"])
        else:
            words = "✓ same person" if score >= limit else "✗ different people"
            lines.append([f"{score:.3f}", words, f"{limit:.3f}"])
    return lines


def test_two_photographs_a_slider_and_the_decisions(
    watched: Watched, models: Any, faces: list[np.ndarray]
) -> None:
    page = watched.page
    name = "<img src=x onerror=document.title='run'>.png"
    file = {"name": name, "mimeType": "image/png", "buffer": encoded(faces[0])}
    page.get_by_label("Choose a photograph as reference").set_input_files(file)
    expect(page.locator("#reference .name")).to_have_text(f"{name}, 112x112 px")
    page.evaluate(DROP, ["probe", "small.png", list(encoded(faces[1]))])
    expect(page.locator("#probe .name")).to_have_text("small.png, 50x50 px")
    scores = set()
    for px in (28, 14, 7):
        set_slider(page, px)
        found = rows(page)
        assert [row[1:4] for row in found] == expected(models, *faces, px)
        assert [row[0] for row in found] == [str(path) for path in models.checkpoints]
        assert found[0][4] == "\u2013"
        assert found[1][4].startswith("FAR 0.03")
        scores.add(found[1][1])
    assert len(scores) == 3
    # at 112 px the small face stays as it is
    page.locator("#stops button").first.click()
    expect(page.locator("#probe figure").first).to_contain_text("50x50 px")
    assert [row[1:4] for row in rows(page)] == expected(models, *faces, 50)
    page.get_by_label("Shrink the reference as well").check()
    set_slider(page, 14)
    expect(page.locator("#reference figure").first).to_contain_text("14x14 px")
    assert [row[1:4] for row in rows(page)] == expected(models, *faces, 14, 14)
    assert "calibrated on 40 people of drawn faces" in page.locator("#notes").inner_text()
    assert page.title() == "Two faces, any resolution"
    assert watched.faults == []


def test_by_keyboard_alone(watched: Watched) -> None:
    page = watched.page
    slider = page.get_by_label("Resolution of the probe")
    assert slider.get_attribute("aria-valuetext") == "14 px"
    before = rows(page)
    slider.focus()
    # as fast as keys come; the last one is answered
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "8 px"
    expect(page.locator("#probe figure").first).to_contain_text("8x8 px")
    assert rows(page) != before
    face = page.locator("#probe fieldset button").nth(6)
    face.focus()
    page.keyboard.press("Enter")
    expect(face).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#probe .name")).to_contain_text(face.get_attribute("title"))
    expect(page.get_by_role("status")).to_contain_text(": similarity ")
    assert watched.faults == []


def test_bad_photographs_are_answered_on_the_page(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    before = rows(page)
    choose = page.get_by_label("Choose a photograph as probe")
    error = page.locator("#probe .error")
    for name, content, message in (
        ("diary.jpg", b"dear diary", "cannot decode diary.jpg: expected an encoded image"),
        ("wide.png", encoded(np.zeros((20, 30, 3), np.uint8)), "which is square, got 30x20 px"),
        ("huge.png", bytes(2**23 + 1), "huge.png: expected a photograph of at most 8 MB"),
    ):
        (tmp_path / name).write_bytes(content)
        choose.set_input_files(tmp_path / name)
        expect(error).to_contain_text(message)
        assert rows(page) == before
    page.locator("#probe fieldset button").first.click()
    expect(error).to_be_hidden()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_page_fits_a_desk_and_a_phone(
    browser: Browser, address: str, scheme: Any, width: int
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = Watched(context, address).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 29)"}[scheme]
    unnamed = """[...document.querySelectorAll("input, button")].filter(
        one => !one.labels?.length && !one.textContent && !one.querySelector("img[alt]")?.alt)"""
    assert page.evaluate(f"{unnamed}.length") == 0
    context.close()
