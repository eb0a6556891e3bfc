"""Neither ``import lrfr_lightning`` nor ``lrfr --help`` loads what it does not need."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "torchvision", "timm", "albumentations", "pandas", "matplotlib", "wandb",
         "lightning", "pytorch_lightning", "torchmetrics", "jsonargparse", "cv2", "scipy",
         "numpy"}  # fmt: skip


SLOW = {"wandb", "pandas", "timm", "albumentations", "onnxruntime"}
"""What a plan that is looked at does not need, half a second each and more."""


def loaded(source: str) -> set[str]:
    """The modules that a fresh interpreter holds after some lines."""
    finished = subprocess.run(
        [sys.executable, "-c", f"{source}; import sys; print('LOADED', *sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(finished.stdout.rsplit("LOADED", 1)[1].split())


@pytest.mark.parametrize(
    "source",
    [
        "import lrfr_lightning",
        "from lrfr_lightning.cli.main import main; main(['--help'])",
        "from lrfr_lightning.cli.main import main; main(['--version'])",
    ],
)
def test_nothing_heavy_is_imported(source: str) -> None:
    found = loaded(source)
    assert "lrfr_lightning" in found
    assert found & HEAVY == set()


def test_training_starts_without_what_few_runs_use() -> None:
    assert loaded("import lrfr_lightning.cli.training") & SLOW == set()
