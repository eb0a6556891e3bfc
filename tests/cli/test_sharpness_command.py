"""``lrfr sharpness``: figures on the terminal, a figure on disk, clear errors."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.functional.resize import Kernel, degrade
from lrfr_lightning.functional.sharpness import image_sharpness, laplacian
from lrfr_lightning.reports.sharpness import sharpness_figure


@pytest.fixture
def face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """An embedded face, which lies at ``face.png``."""
    monkeypatch.chdir(tmp_path)
    image = EmbeddedFaces(2, 2).image(0)
    Image.fromarray(image).save("face.png")
    return image


def test_prints_what_it_draws(face: np.ndarray, capsys: Any) -> None:
    assert main(["sharpness", "face.png", "--output", "out/figure.png"]) == Path("out/figure.png")
    printed = capsys.readouterr().out.splitlines()
    slides = Kernel("bilinear", antialias=False)
    sharp, blurred = image_sharpness(face), image_sharpness(degrade(face, 16, slides, slides))
    assert printed[0] == f"112 px: q = {sharp:.2f} grey levels, margin 1/q = {1 / sharp:.3f} rad"
    assert printed[1].startswith(f"16 px: q = {blurred:.2f} grey levels, margin 1/q = ")
    assert blurred < sharp
    with Image.open("out/figure.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 1000


def test_figure_shows_both_faces_and_their_laplacians(face: np.ndarray) -> None:
    figure = sharpness_figure(face, 7)
    rows = figure.subfigs
    assert [row.get_suptitle().split(":")[0] for row in rows] == ["112 px", "7 px"]
    assert all("grey levels, margin 1/q = " in row.get_suptitle() for row in rows)
    (shown_face, shown_map), low = (
        [axes.get_images()[0].get_array() for axes in row.axes[:2]] for row in rows
    )
    assert np.array_equal(shown_face, face)
    assert np.allclose(shown_map, np.abs(laplacian(face)).mean(axis=2))
    assert low[1].mean() < shown_map.mean()
    limits = [row.axes[1].get_images()[0].get_clim() for row in rows]
    assert limits[0] == limits[1]


def test_a_flat_image_has_a_margin_too(face: np.ndarray, capsys: Any) -> None:
    cv2.imwrite("flat.png", np.full((112, 112, 3), 90, np.uint8))
    main(["sharpness", "flat.png", "--resolution", "7"])
    expected = "112 px: q = 0.00 grey levels, margin 1/q = 1.571 rad (bound)"
    assert expected in capsys.readouterr().out
    assert Path("sharpness.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "image not found: expected it at .*none.png, nothing is there"),
        (["notes.txt"], "cannot decode notes.txt: expected an encoded image"),
        (["face.png", "--resolution", "200"], "resolution 200 px does not fit an image of 112x112"),
    ],
)
def test_bad_input_is_one_clear_error(face: np.ndarray, arguments: Any, message: str) -> None:
    Path("notes.txt").write_text("a note")
    with pytest.raises(SystemExit, match=f"lrfr sharpness: {message}"):
        main(["sharpness", *arguments])
    assert not Path("sharpness.png").exists()


def test_a_misspelt_option_is_an_error(face: np.ndarray, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        main(["sharpness", "face.png", "--resolutoin", "14"])
    assert "resolutoin" in capsys.readouterr().err
