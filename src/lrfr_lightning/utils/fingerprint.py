"""What tells one model from every other, by content."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn


def fingerprint_of(description: Any, parts: Iterable[bytes]) -> str:
    """SHA-256 in hex of plain data and of the bytes behind it."""
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def module_bytes(module: nn.Module) -> Iterator[bytes]:
    """Name and values of each tensor in a module's state."""
    for name, value in module.state_dict().items():
        yield name.encode()
        yield _bytes(value)


def _bytes(value: Tensor) -> bytes:
    flat = value.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()
