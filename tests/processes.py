"""Processes that tests start: commands as users do, and forks of one that has imported it all.

To import torch and Lightning takes longer than most of what is tested. What need not be a fresh
interpreter is forked from a server, which each test process starts once.
"""

import contextlib
import faulthandler
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from multiprocessing import forkserver, get_context, get_start_method, set_start_method
from pathlib import Path
from typing import Any

from torch import multiprocessing

from lrfr_lightning.cli.main import console

_PRELOADED = ["lrfr_lightning.cli.training", "lrfr_lightning.datasets", "timm", "albumentations"]


def start_server() -> None:
    """Begin the server, if it does not run yet; it imports while the test goes on."""
    get_context("forkserver").set_forkserver_preload(_PRELOADED)
    forkserver.ensure_running()


def on_ranks(function: Callable[..., None], arguments: tuple[Any, ...], ranks: int) -> None:
    """Call ``function(rank, *arguments)`` in a process for each rank, in this environment."""
    start_server()
    multiprocessing.start_processes(
        _in_environment, (dict(os.environ), function, arguments), ranks, start_method="forkserver"
    )  # type: ignore[no-untyped-call]


def _in_environment(
    rank: int, environment: Mapping[str, str], function: Callable[..., None], arguments: Any
) -> None:
    os.environ.update(environment)
    function(rank, *arguments)


class Forked:
    """``lrfr`` in a forked process, to be waited for as for one that was started anew.

    Args:
        arguments: of the command line.
        folder: the working directory.
        ranks: so many processes, each a node of its own, as a cluster starts them.
        changes: of the environment.
    """

    def __init__(self, arguments: list[str], folder: Path, ranks: int = 1, **changes: str) -> None:
        start_server()
        environment = dict(os.environ) | changes
        if ranks > 1:
            environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        self._said = folder / f"said-{len(list(folder.glob('said-*')))}.txt"
        self._process = get_context("forkserver").Process(
            target=_command,
            args=(arguments, folder, ranks, environment, self._said, get_start_method()),
        )
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """Of the first rank; None while it runs."""
        return self._process.exitcode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait for the end: nothing, and what all ranks wrote to stderr."""
        self._process.join(timeout)
        if self._process.is_alive():
            raise subprocess.TimeoutExpired("lrfr", timeout)
        return "", self._said.read_text()


def _command(
    arguments: list[str],
    folder: Path,
    ranks: int,
    environment: Mapping[str, str],
    said: Path,
    start_method: str,
) -> None:
    os.setsid()
    set_start_method(start_method, force=True)  # of its workers: not from a server of its own
    os.chdir(folder)
    os.environ.update(environment)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    faulthandler.enable()
    sys.argv = ["lrfr", *arguments]
    if ranks == 1:
        console()
        return
    others = _further_nodes(ranks)
    try:
        console()
    finally:
        for other in others:
            os.waitpid(other, 0)


def _further_nodes(ranks: int) -> list[int]:
    """Fork them, each with its number in the environment; in the first one their processes."""
    others = []
    for node in range(1, ranks):
        os.environ["NODE_RANK"] = str(node)
        other = os.fork()
        if other == 0:
            return []
        others.append(other)
    os.environ["NODE_RANK"] = "0"
    return others


def start(command: list[Any], folder: Path, **changes: str) -> subprocess.Popen[str]:
    """Begin a command in a fresh interpreter and a session of its own."""
    environment = os.environ | {"PYTHONFAULTHANDLER": "1"} | changes
    return subprocess.Popen(
        command, cwd=folder, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


Started = subprocess.Popen[str] | Forked


def finish(process: Started, expected: int = 0) -> None:
    """Wait for the end; one that hangs tells where each of its ranks stands."""
    try:
        _, errors = process.communicate(timeout=200)
    except subprocess.TimeoutExpired:
        signal_all(process, signal.SIGABRT)
        _, errors = process.communicate(timeout=20)
        raise AssertionError(f"no end after 200 s\n{errors}") from None
    assert process.returncode == expected, errors


def kill_remains(process: Started) -> None:
    """End what is left of the session."""
    signal_all(process, signal.SIGKILL)


def signal_all(process: Started, number: signal.Signals) -> None:
    """To every process of the session that still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
