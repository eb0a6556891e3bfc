"""Who is compared with whom, and what is measured on it."""

from lrfr_lightning.protocols.embedded import EmbeddedVerification
from lrfr_lightning.protocols.lfw import LFWVerification
from lrfr_lightning.protocols.result import ProtocolResult, read_results, write_results
from lrfr_lightning.protocols.verification import VerificationProtocol

__all__ = [
    "EmbeddedVerification",
    "LFWVerification",
    "ProtocolResult",
    "VerificationProtocol",
    "read_results",
    "write_results",
]
