"""Photographs of real faces at known places."""

from pathlib import Path

import pytest
from benchmarks.photographs import Placed, make_photographs


@pytest.fixture(scope="session")
def placed(lrfr_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Placed]]:
    """Sixty photographs, six per face size, and where their faces are."""
    folder = tmp_path_factory.mktemp("photographs")
    return folder, make_photographs(lrfr_data / "lfw-112/images", folder, 60)
