"""One file, read within bounds: what came of it, how long it took, whether code ran."""

import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrfr_lightning.utils.errors import ConfigError, DataError

MAX_SECONDS = 1.0
"""Of computing, so that a busy machine does not count."""

MAX_MEMORY = 500 * 2**20
"""Bytes on top of what the process has before it reads."""

_CALLS = (
    *("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "subprocess", "pty.spawn"),
    *("socket.connect", "shutil", "os.remove", "os.rename", "os.mkdir", "ctypes.dlopen"),
    "webbrowser.open",
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class HangError(BaseException):
    """It computes for longer than any file needs; no reader catches it."""


@dataclass(frozen=True)
class Outcome:
    """What came of a file.

    Attributes:
        kind: ``read``, ``refused`` (one of the library's errors), or what must not be: ``error``
            (any other), ``hang``, ``memory``, ``code``.
        seconds: of computing.
        error: its type and message.
    """

    kind: str
    seconds: float
    error: str = ""


class Guard:
    """Watches this process for good: audit hooks cannot be taken away.

    Args:
        folder: where readers may write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self._seen: list[str] | None = None
        sys.addaudithook(self._hook)

    def bound_memory(self) -> None:
        """Refuse further memory beyond the bound from here on."""
        bound = _status("VmSize") + MAX_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))

    def run(self, read: Callable[[Path], Any], folder: Path) -> Outcome:
        """Read the files in a folder."""
        seen: list[str] = []
        self._seen = seen
        signal.signal(signal.SIGPROF, _hang)
        signal.setitimer(signal.ITIMER_PROF, 5 * MAX_SECONDS)
        start, kind = time.process_time(), "read"
        error: BaseException | None = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(folder)
        except (DataError, ConfigError, SystemExit) as refused:  # the parser of options exits
            kind, error = "memory" if _lacked_memory(refused) else "refused", refused
        except HangError as hang:
            kind, error = "hang", hang
        except MemoryError as lack:
            kind, error = "memory", lack
        except BaseException as other:
            kind, error = "error", other
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._seen = None
        seconds = time.process_time() - start
        if seen:
            return Outcome("code", seconds, "; ".join(seen[:5]))
        if seconds > MAX_SECONDS:
            kind = "hang"
        return Outcome(kind, seconds, f"{type(error).__name__}: {error}"[:500] if error else "")

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        seen = self._seen
        if seen is None:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and flags & _WRITES
            if writes and not str(path).startswith((self.folder, "/dev/null")):
                seen.append(f"open {path} {mode}")
        elif event == "exec":
            name = arguments[0].co_filename
            strange = name.startswith(("<", self.folder)) and not name.startswith("<frozen")
            if strange and not _importing():
                seen.append(f"exec {name}")
        elif event.startswith(_CALLS) and not self._is_own(arguments):
            seen.append(f"{event} {arguments!r:.200}")

    def _is_own(self, arguments: tuple[Any, ...]) -> bool:
        return bool(arguments) and str(arguments[0]).startswith(self.folder)


def peak_memory() -> int:
    """Most bytes of memory that the process had since :func:`forget_peak`."""
    return _status("VmHWM")


def forget_peak() -> int:
    """Begin to measure the peak anew; the bytes in use now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.partition(f"{name}:")[2].split()[0])


def _importing() -> bool:
    """Whether a library is being imported; its named tuples are made from text."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
    return False


def _hang(*_: Any) -> None:
    raise HangError("computed for five seconds")


def _lacked_memory(error: BaseException | None) -> bool:
    """Whether a refusal hides that memory ran out."""
    while error is not None:
        text = str(error)
        if isinstance(error, MemoryError) or "nsufficient memory" in text or "bad_alloc" in text:
            return True
        error = error.__cause__ or error.__context__
    return False
