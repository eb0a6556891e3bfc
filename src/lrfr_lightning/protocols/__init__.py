"""Who is compared with whom, and what is measured on it."""

from lrfr_lightning.protocols.base import Protocol
from lrfr_lightning.protocols.bin import BinVerification
from lrfr_lightning.protocols.embedded import EmbeddedVerification
from lrfr_lightning.protocols.identification import IdentificationProtocol
from lrfr_lightning.protocols.ijb import IJBVerification
from lrfr_lightning.protocols.ijb_identification import IJBIdentification
from lrfr_lightning.protocols.lfw import LFWHeldOut, LFWVerification
from lrfr_lightning.protocols.one_to_many import EmbeddedIdentification, LFWIdentification
from lrfr_lightning.protocols.result import ProtocolResult, read_results, write_results
from lrfr_lightning.protocols.scface import SCfaceIdentification
from lrfr_lightning.protocols.survface import SurvFaceIdentification, SurvFaceVerification
from lrfr_lightning.protocols.tinyface import TinyFaceIdentification
from lrfr_lightning.protocols.verification import VerificationProtocol

__all__ = [
    "BinVerification",
    "EmbeddedIdentification",
    "EmbeddedVerification",
    "IJBIdentification",
    "IJBVerification",
    "IdentificationProtocol",
    "LFWHeldOut",
    "LFWIdentification",
    "LFWVerification",
    "Protocol",
    "ProtocolResult",
    "SCfaceIdentification",
    "SurvFaceIdentification",
    "SurvFaceVerification",
    "TinyFaceIdentification",
    "VerificationProtocol",
    "read_results",
    "write_results",
]
