"""What reading images leaves behind, however many of them."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from lrfr_lightning.datasets import ImageFolder
from lrfr_lightning.datasets.base import ImageSource
from lrfr_lightning.datasets.listed import ListedImages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one image."""
    (tmp_path / "Ann").mkdir()
    cv2.imwrite(str(tmp_path / "Ann" / "Ann_0001.png"), np.zeros((112, 112, 3), np.uint8))
    return tmp_path


@pytest.mark.parametrize("kind", ["listed", "folder"])
def test_no_name_goes_into_python_s_table_of_strings(
    kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images: ImageSource = (
        ListedImages(folder, ["Ann/Ann_0001.png"]) if kind == "listed" else ImageFolder(str(folder))
    )
    kept: list[str] = []
    intern = sys.intern
    monkeypatch.setattr(sys, "intern", lambda text: kept.append(text) or intern(text))
    assert images.image(0).shape == (112, 112, 3)
    assert images.describe(0) == str(folder / "Ann" / "Ann_0001.png")
    assert [text for text in kept if text.startswith("Ann")] == ["Ann", "Ann_0001.png"]  # ours
