"""What all tests share."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("WANDB_MODE", "disabled")
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")


@pytest.fixture(scope="session")
def lrfr_data() -> Path:
    """The folder of real faces and weights; tests that ask for it carry the mark ``real``."""
    folder = os.environ.get("LRFR_DATA")
    if not folder:
        pytest.skip("needs real faces: set LRFR_DATA to the folder that holds lfw-112 and weights")
    return Path(folder).resolve()


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Rendered faces of the tests go into a folder of the session."""
    os.environ["LRFR_CACHE"] = str(tmp_path_factory.mktemp("cache"))
