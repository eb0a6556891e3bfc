"""Protocols that the command line knows by name."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lrfr_lightning.protocols.base import Protocol
from lrfr_lightning.protocols.embedded import EmbeddedVerification
from lrfr_lightning.protocols.lfw import LFWHeldOut, LFWVerification
from lrfr_lightning.utils.errors import ConfigError

PROTOCOLS: dict[str, Callable[..., Protocol]] = {
    "lfw": LFWVerification,
    "lfw-devtest": partial(LFWVerification, pairs="pairsDevTest.txt"),
    "lfw-held-out": LFWHeldOut,
    "lfw-deck": partial(LFWVerification, setting="deck"),
    "embedded": lambda _, **settings: EmbeddedVerification(**settings),
}
"""What makes each protocol from the folder of its data and its settings, all with defaults."""


def named_protocol(name: str, root: str, settings: Mapping[str, Any] | None = None) -> Protocol:
    """The protocol of a name, on the data at ``root``.

    Args:
        name: a key of ``PROTOCOLS``.
        root: folder of the data.
        settings: of the protocol's own arguments, such as ``resolutions``, ``degraded``, ``flip``
            and ``control``, those that differ from its defaults.

    Raises:
        ConfigError: no such name.
    """
    if name not in PROTOCOLS:
        raise ConfigError(f"no protocol {name!r}; expected one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name](root, **(settings or {}))
