"""What the figures were measured on."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version

import torch

from lrfr_lightning.cli.training import fast_precision

PACKAGES = (
    "torch", "numpy", "opencv-python-headless", "timm", "albumentations", "scikit-learn",
    "faiss-cpu", "onnxruntime", "pytorch-metric-learning", "insightface", "torchvision", "pillow",
)  # fmt: skip


def describe() -> dict[str, object]:
    """Processor and what it computes in, cores, memory, versions and commit."""
    return {
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "bf16": "native" if computes_bf16() else "emulated: not measured",
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "commit": _commit(),
    }


def computes_bf16() -> bool:
    """Whether the processor does; one that emulates it takes ten times as long as in float32."""
    return fast_precision() == "bf16-mixed"


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        lines = [line for line in file if line.startswith("model name")]
    return lines[0].split(":", 1)[1].strip() if lines else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()
