"""Networks as files that others can use: ONNX, torch.export, safetensors, the Hub."""

from lrfr_lightning.export.description import describe_model
from lrfr_lightning.export.files import export_model
from lrfr_lightning.export.hub import from_pretrained, push_to_hub, save_folder
from lrfr_lightning.export.model_card import CardText
from lrfr_lightning.export.onnx import export_onnx
from lrfr_lightning.export.parity import Parity, check_parity, measure_parity
from lrfr_lightning.export.program import export_program
from lrfr_lightning.export.weights import export_safetensors

__all__ = [
    "CardText",
    "Parity",
    "check_parity",
    "describe_model",
    "export_model",
    "export_onnx",
    "export_program",
    "export_safetensors",
    "from_pretrained",
    "measure_parity",
    "push_to_hub",
    "save_folder",
]
