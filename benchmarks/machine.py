"""What the figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

from lrfr_lightning.cli.plan.machine import native_bf16
from lrfr_lightning.protocols.provenance import commits

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
        "commit": commits()["working_folder"],
    }


def computes_bf16() -> bool:
    """Whether the processor does; one that emulates it takes ten times as long as in float32."""
    return native_bf16(cuda=False)


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        lines = [line for line in file if line.startswith("model name")]
    return lines[0].split(":", 1)[1].strip() if lines else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
