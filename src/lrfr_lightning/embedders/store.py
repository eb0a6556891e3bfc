"""Embeddings by key in a folder that several processes may read and write at once.

Each file is written under another name and renamed, and is called by the SHA-256 of its content:
what a writer left half done, or a disk damaged, is noticed and passed over. Nothing is pickled.
"""

import hashlib
import os
import uuid
import warnings
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]

PART = 4096
"""Embeddings in one file, at most."""


class EmbeddingStore:
    """A mapping of 32-byte keys to embeddings.

    Args:
        folder: made when the first embedding is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pending: dict[bytes, Rows] = {}

    def __contains__(self, key: bytes) -> bool:
        return key in self._pending or key in self._kept

    def __getitem__(self, key: bytes) -> Rows:
        """float32 ``(D,)``."""
        if key in self._pending:
            return self._pending[key]
        part, row = self._kept[key]
        return np.array(part[row]["embedding"])

    def add(self, keys: Sequence[bytes], embeddings: Rows) -> None:
        """Keep embeddings, float32 ``(N, D)``; they reach the disk in parts, and with ``flush``."""
        self._pending |= dict(zip(keys, embeddings.astype(np.float32), strict=True))
        if len(self._pending) >= PART:
            self.flush()

    def flush(self) -> None:
        """Write all that is not on disk yet."""
        if not self._pending:
            return
        self._index(self._write())
        self._pending = {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_kept"}

    @cached_property
    def _kept(self) -> dict[bytes, tuple[NDArray[Any], int]]:
        """The file, mapped into memory, and the row of each key."""
        self._kept = {}
        for path in sorted(self.folder.glob("*.npy")):
            self._index(path)
        return self._kept

    def _index(self, path: Path) -> None:
        part = _opened(path)
        if part is not None:
            self._kept |= {key.tobytes(): (part, row) for row, key in enumerate(part["key"])}

    def _write(self) -> Path:
        embeddings = np.stack(list(self._pending.values()))
        part = np.empty(len(embeddings), _kind(embeddings.shape[1]))
        part["key"] = np.frombuffer(b"".join(self._pending), np.uint8).reshape(-1, 32)
        part["embedding"] = embeddings
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{uuid.uuid4().hex}.partial"
        try:
            with open(partial, "wb") as file:
                np.save(file, part, allow_pickle=False)
            target = self.folder / f"{_digest(partial)}.npy"
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
        return target


def _kind(length: int) -> np.dtype[Any]:
    """A row: a key and its embedding."""
    return np.dtype([("key", "u1", (32,)), ("embedding", "<f4", (length,))])


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> NDArray[Any] | None:
    """A file's rows, mapped into memory; None where it is damaged, which is said."""
    try:
        if _digest(path) == path.stem:
            rows = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
            if rows.ndim == 1 and rows.dtype == _kind(rows.dtype["embedding"].shape[0]):
                return rows
    except Exception:  # a damaged header raises whatever its bytes lead to; said below
        pass
    warnings.warn(
        f"kept embeddings {path} are damaged and passed over; delete the file", stacklevel=4
    )
    return None
