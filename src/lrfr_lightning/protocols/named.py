"""Protocols that the command line knows by name."""

from collections.abc import Callable
from functools import partial

from lrfr_lightning.protocols.base import Protocol
from lrfr_lightning.protocols.embedded import EmbeddedVerification
from lrfr_lightning.protocols.lfw import LFWHeldOut, LFWVerification
from lrfr_lightning.utils.errors import ConfigError

PROTOCOLS: dict[str, Callable[[str], Protocol]] = {
    "lfw": LFWVerification,
    "lfw-devtest": partial(LFWVerification, pairs="pairsDevTest.txt"),
    "lfw-held-out": LFWHeldOut,
    "lfw-deck": partial(LFWVerification, setting="deck"),
    "embedded": lambda _: EmbeddedVerification(),
}
"""What makes each protocol from the folder of its data."""


def named_protocol(name: str, root: str) -> Protocol:
    """The protocol of a name, on the data at ``root``.

    Raises:
        ConfigError: no such name.
    """
    if name not in PROTOCOLS:
        raise ConfigError(f"no protocol {name!r}; expected one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name](root)
