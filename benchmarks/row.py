"""One line of the results."""

from dataclasses import dataclass
from typing import Literal

Sense = Literal["speed", "time", "memory", "seconds"]


@dataclass(frozen=True)
class Row:
    """What was measured, as ratios: absolute times belong to one machine at one moment.

    Attributes:
        name: what was measured, in words.
        sense: ``speed``: ratios are ours / theirs in images or rows per second, more is better;
            ``time``: ratios are our time / theirs, less is better; ``memory``: what counts is
            ``memory_mb``, ``seconds``: what counts is ``seconds``, both less is better.
        seconds: our median, s.
        limit: what the machine can do at best, in words, or "".
        ratio_to_limit: ours to the limit, or None.
        peer: another implementation, with its version, or "".
        ratio_to_peer: ours to the peer, or None.
        memory_mb: our peak above the inputs, MB (1e6 bytes), or None.
        peer_memory_mb: the peer's, or None.
        target: what was to be reached, in words.
        met: whether it was, or None where there is no target.
        note: anything a reader has to know.
    """

    name: str
    sense: Sense
    seconds: float | None = None
    limit: str = ""
    ratio_to_limit: float | None = None
    peer: str = ""
    ratio_to_peer: float | None = None
    memory_mb: float | None = None
    peer_memory_mb: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""
