"""What a dependency imports and few need."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_SIGNAL = "scipy.signal"


class _StandIn(ModuleType):
    """Stands for ``scipy.signal`` until more than one name of it is asked for."""

    hamming = None

    def __getattr__(self, name: str) -> Any:
        # inspect asks every module for its file
        if name == "__file__":
            raise AttributeError(name)
        if sys.modules.get(_SIGNAL) is self:
            del sys.modules[_SIGNAL]
        return getattr(import_module(_SIGNAL), name)


@contextmanager
def scipy_signal_deferred() -> Iterator[None]:
    """Inside, ``import scipy.signal`` loads it when something of it is used, not at once.

    torchmetrics imports it to see whether it has ``hamming``, for the sake of a package for audio;
    loading it, and ``scipy.stats`` with it, takes a second. Does nothing where it is loaded.
    """
    if _SIGNAL in sys.modules:
        yield
        return
    stand_in = sys.modules[_SIGNAL] = _StandIn(_SIGNAL)
    try:
        yield
    finally:
        if sys.modules.get(_SIGNAL) is stand_in:
            del sys.modules[_SIGNAL]
