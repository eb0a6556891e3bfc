"""How others read the same JPEGs: Pillow + torchvision, and timm's loader."""

import io
import random
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

BICUBIC = transforms.InterpolationMode.BICUBIC


class PillowFaces(Dataset[tuple[Any, int]]):
    """JPEG bytes → Pillow image → transform."""

    def __init__(self, images: Sequence[bytes], transform: Any = None) -> None:
        self.images, self.transform = images, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Image and label."""
        image = Image.open(io.BytesIO(self.images[index])).convert("RGB")
        return (self.transform(image) if self.transform else image), index


def shrink(image: Image.Image) -> Image.Image:
    """To a side of 6 to 32 px and back, every octave as likely."""
    side = round(float(np.exp(random.uniform(np.log(6), np.log(32)))))
    return image.resize((side, side), Image.Resampling.BICUBIC).resize(
        image.size, Image.Resampling.BICUBIC
    )


def usual_way(images: Sequence[bytes], batch: int) -> DataLoader[Any]:
    """The field's training scripts: degrade by chance, ToTensor and Normalize per image."""
    steps = transforms.Compose(
        [
            transforms.RandomApply([transforms.Lambda(shrink)], p=0.5),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * 3, [0.5] * 3),
        ]
    )
    return DataLoader(PillowFaces(images, steps), batch, drop_last=True)


def timm_loader(images: Sequence[bytes], batch: int) -> Any:
    """Timm's loader with nothing but decoding, collating and normalising."""
    from timm.data import create_loader

    return create_loader(
        PillowFaces(images),
        (3, 112, 112),
        batch,
        is_training=True,
        no_aug=True,
        interpolation="bicubic",
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        num_workers=0,
        persistent_workers=False,
        use_prefetcher=False,
        device=torch.device("cpu"),
    )


def walk(loader: Any) -> None:
    """Take every batch."""
    for _ in loader:
        pass


def decoders(images: Sequence[bytes]) -> dict[str, Any]:
    """Bare decoding by each library, one function a library; those that are missing are left out.

    What they return is checked to be the same pixels by ``tests/benchmarks/test_input.py``.
    """
    import cv2
    import simplejpeg
    from torchvision.io import decode_jpeg

    tensors: list[Tensor] = [
        torch.frombuffer(bytearray(data), dtype=torch.uint8) for data in images
    ]

    def torchvision() -> list[Tensor]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is deprecated since 0.29
            return [decode_jpeg(data) for data in tensors]

    places = np.empty((112, 112, 3), np.uint8)
    return {
        "OpenCV": lambda: [
            cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB) for data in images
        ],
        "simplejpeg": lambda: [simplejpeg.decode_jpeg(data) for data in images],
        "simplejpeg into the batch": lambda: [
            simplejpeg.decode_jpeg(data, buffer=places) for data in images
        ],
        "torchvision": torchvision,
        "Pillow": lambda: [
            np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in images
        ],
    }
