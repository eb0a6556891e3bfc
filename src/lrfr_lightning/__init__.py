"""Face recognition that keeps identity at low resolution, on PyTorch Lightning."""

__version__ = "0.1.0"
