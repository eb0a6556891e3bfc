"""Commands that tests start as users do, in sessions of their own."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any


def start(command: list[Any], folder: Path, **changes: str) -> subprocess.Popen[str]:
    """Begin a command; ``changes`` are of its environment."""
    environment = os.environ | {"PYTHONFAULTHANDLER": "1"} | changes
    return subprocess.Popen(
        command, cwd=folder, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str], expected: int = 0) -> None:
    """Wait for the end; one that hangs tells where each of its ranks stands."""
    try:
        _, errors = process.communicate(timeout=200)
    except subprocess.TimeoutExpired:
        signal_all(process, signal.SIGABRT)
        _, errors = process.communicate(timeout=20)
        raise AssertionError(f"no end after 200 s\n{errors}") from None
    assert process.returncode == expected, errors


def kill_remains(process: subprocess.Popen[str]) -> None:
    """End what is left of the session."""
    signal_all(process, signal.SIGKILL)


def signal_all(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """To every process of the session that still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
