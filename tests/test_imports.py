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
        [sys.executable, "-c", f"{source}\nimport sys; print('LOADED', *sys.modules)"],
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


def test_a_command_leaves_out_what_torchmetrics_asks_one_name_of() -> None:
    found = loaded(
        "from contextlib import suppress\n"
        "from lrfr_lightning.cli.main import main\n"
        "with suppress(SystemExit): main(['fit', '--config', 'nowhere.yaml'])"
    )
    assert "torchmetrics" in found
    assert found & {"scipy.signal", "scipy.stats"} == set()


def test_scipy_signal_is_loaded_when_it_is_used() -> None:
    found = loaded(
        "import inspect, sys\n"
        "from lrfr_lightning.utils.imports import scipy_signal_deferred\n"
        "with scipy_signal_deferred():\n"
        "    import scipy.signal\n"
        "    assert hasattr(scipy.signal, 'hamming')\n"
        "    inspect.stack()\n"
        "    assert 'scipy.signal._signaltools' not in sys.modules\n"
        "    from scipy.signal import convolve\n"
        "    import scipy.signal.windows\n"
        "    assert scipy.signal.convolve is convolve\n"
        "assert scipy.signal.convolve is convolve\n"
        "assert not hasattr(scipy.signal, 'hamming')"
    )
    assert {"scipy.signal", "scipy.signal.windows"} <= found


def test_scipy_signal_is_as_it_was_afterwards() -> None:
    unused = "with scipy_signal_deferred(): import scipy.signal"
    begin = "from lrfr_lightning.utils.imports import scipy_signal_deferred\n"
    assert "scipy.signal" not in loaded(begin + unused)
    loaded(f"import scipy.signal\nbefore = scipy.signal\n{begin}{unused}\n"
           "import sys\nassert sys.modules['scipy.signal'] is before")  # fmt: skip
