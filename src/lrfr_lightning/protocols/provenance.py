"""Where numbers come from: packages, machine and commits, to explain why two runs differ."""

import platform
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

_PACKAGES = (
    "lrfr_lightning",
    "torch",
    "pytorch-lightning",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "simplejpeg",
)
"""What decodes, shrinks and embeds an image, and what counts."""


def versions() -> dict[str, str]:
    """Versions of Python and of the packages behind a number; those that are installed.

    OpenCV may be there under another name, which must not end a run when its results are written.
    """
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def machine() -> dict[str, str]:
    """System, instructions of the CPU that torch uses, and its threads.

    Sums are the same to the bit only over as many threads with the same instructions.
    """
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }


def commits() -> dict[str, str | None]:
    """The git commits of the library and of the working folder, ``(changed)`` if they were edited.

    None: it lies in no checkout, as an installed library does. New files do not count as changes.
    """
    library = Path(__file__).parent
    tracked = _git(library, "ls-files", "--error-unmatch", Path(__file__).name)
    return {
        "library": _commit(library) if tracked else None,
        "working_folder": _commit(Path.cwd()),
    }


def _commit(folder: Path) -> str | None:
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit} (changed)" if changed else commit


@cache
def _git(folder: Path, *arguments: str) -> str:
    """What git prints; nothing where it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
