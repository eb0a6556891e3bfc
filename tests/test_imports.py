"""Neither ``import lrfr_lightning`` nor ``lrfr --help`` loads what it does not need."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "torchvision", "timm", "albumentations", "pandas", "matplotlib", "wandb",
         "lightning", "pytorch_lightning", "torchmetrics", "jsonargparse", "cv2", "scipy",
         "numpy"}  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        "import lrfr_lightning",
        "from lrfr_lightning.cli.main import main; main(['--help'])",
        "from lrfr_lightning.cli.main import main; main(['--version'])",
    ],
)
def test_nothing_heavy_is_imported(source: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", f"{source}; import sys; print('LOADED', *sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(finished.stdout.rsplit("LOADED", 1)[1].split())
    assert "lrfr_lightning" in loaded
    assert loaded & HEAVY == set()
