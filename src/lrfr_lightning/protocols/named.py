"""Protocols that the command line knows by name."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lrfr_lightning.datasets.bin_file import bin_files
from lrfr_lightning.protocols.base import Protocol
from lrfr_lightning.protocols.bin import BinVerification
from lrfr_lightning.protocols.embedded import EmbeddedVerification
from lrfr_lightning.protocols.ijb import IJBVerification
from lrfr_lightning.protocols.ijb_identification import IJBIdentification
from lrfr_lightning.protocols.lfw import LFWHeldOut, LFWVerification
from lrfr_lightning.protocols.one_to_many import EmbeddedIdentification, LFWIdentification
from lrfr_lightning.protocols.scface import SCfaceIdentification
from lrfr_lightning.protocols.survface import SurvFaceIdentification, SurvFaceVerification
from lrfr_lightning.protocols.tinyface import TinyFaceIdentification
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.paths import expand

PROTOCOLS: dict[str, Callable[..., Protocol]] = {
    "lfw": LFWVerification,
    "lfw-devtest": partial(LFWVerification, pairs="pairsDevTest.txt"),
    "lfw-held-out": LFWHeldOut,
    "lfw-deck": partial(LFWVerification, setting="deck"),
    "xqlfw": partial(LFWVerification, pairs="xqlfw_pairs.txt", resolutions=(112,)),
    "bin": BinVerification,
    "lfw-1n": LFWIdentification,
    "survface": SurvFaceVerification,
    "survface-deck": partial(SurvFaceVerification, setting="deck"),
    "survface-1n": SurvFaceIdentification,
    "scface": SCfaceIdentification,
    "scface-test": partial(SCfaceIdentification, subjects="test"),
    "scface-deck": partial(SCfaceIdentification, setting="deck", failures="drop"),
    "tinyface": TinyFaceIdentification,
    "ijbb": partial(IJBVerification, benchmark="ijbb"),
    "ijbb-s1": partial(IJBIdentification, benchmark="ijbb", gallery=1),
    "ijbb-s2": partial(IJBIdentification, benchmark="ijbb", gallery=2),
    "ijbc": IJBVerification,
    "ijbc-g1": IJBIdentification,
    "ijbc-g2": partial(IJBIdentification, gallery=2),
    "embedded": lambda _, **settings: EmbeddedVerification(**settings),
    "embedded-1n": lambda _, **settings: EmbeddedIdentification(**settings),
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


def named_protocols(
    name: str, root: str, settings: Mapping[str, Any] | None = None
) -> list[Protocol]:
    """As :func:`named_protocol`; of a folder of ``.bin`` files each becomes a protocol.

    Raises:
        ConfigError: no such name.
        DataError: the folder has no ``.bin`` file.
    """
    several = name == "bin" and expand(root).is_dir()
    roots = map(str, bin_files(root)) if several else [root]
    return [named_protocol(name, own, settings) for own in roots]
