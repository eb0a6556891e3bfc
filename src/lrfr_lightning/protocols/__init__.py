"""Who is compared with whom, and what is measured on it."""

from lrfr_lightning.protocols.base import Protocol
from lrfr_lightning.protocols.embedded import EmbeddedVerification
from lrfr_lightning.protocols.lfw import LFWHeldOut, LFWVerification
from lrfr_lightning.protocols.result import ProtocolResult, read_results, write_results
from lrfr_lightning.protocols.verification import VerificationProtocol

__all__ = [
    "EmbeddedVerification",
    "LFWHeldOut",
    "LFWVerification",
    "Protocol",
    "ProtocolResult",
    "VerificationProtocol",
    "read_results",
    "write_results",
]
