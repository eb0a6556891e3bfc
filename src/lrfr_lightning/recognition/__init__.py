"""A trained model in use: who is on a photograph, and how sure that is."""

from lrfr_lightning.embedders.opening import open_model
from lrfr_lightning.recognition.calibration import calibrate
from lrfr_lightning.recognition.enrolment import enrol
from lrfr_lightning.recognition.gallery import Gallery
from lrfr_lightning.recognition.recogniser import Recogniser
from lrfr_lightning.recognition.thresholds import Thresholds

__all__ = ["Gallery", "Recogniser", "Thresholds", "calibrate", "enrol", "open_model"]
