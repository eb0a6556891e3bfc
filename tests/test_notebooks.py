"""Every notebook runs from top to bottom, in an empty folder, and stays small enough to show."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").rglob("*.ipynb"))


def named(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # nothing of the kernel goes into the home folder, nothing of the home folder into the kernel
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "kernel"))
    (tmp_path / "empty").mkdir()
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(tmp_path / "empty")}}
    NotebookClient(notebook, timeout=200, resources=place).execute()
    assert not list((tmp_path / "empty").iterdir())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_shows_its_figures_in_little_space(path: Path) -> None:
    assert path.stat().st_size < 400_000
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
