"""Checkpoint files that are whole, on the disk, and never in place of a good one before."""

import errno
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from lightning_utilities.core.apply_func import apply_to_collection
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch import Tensor

from lrfr_lightning.utils.errors import DiskError
from lrfr_lightning.utils.paths import whole_file

try:
    import fcntl
except ImportError:  # Windows: nothing says there who still writes, so that remains stay
    fcntl = None  # type: ignore[assignment]


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside its place, flushes it to the disk and then renames it.

    Lightning's own builds the file in memory, writes it to the folder for temporary files and
    copies it to its place, where a full disk or a kill leaves a part of it instead of the last good
    one. ``lrfr fit`` uses this one by itself; a ``Trainer`` of your own takes it as
    ``Trainer(plugins=[WholeCheckpointIO()])``. Paths that are URLs are left to Lightning.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write ``checkpoint``; what killed processes left in the folder is removed before.

        Raises:
            DiskError: the disk cannot hold it, or lost a part; a checkpoint of the same name is as
                it was.
        """
        if "://" in str(path) or storage_options is not None:
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        remove_remains(Path(path).parent)
        with whole_file(path, tensor_bytes(checkpoint)) as partial:
            with partial.open("wb") as file:
                if fcntl:
                    fcntl.flock(file, fcntl.LOCK_EX)
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            if not zipfile.is_zipfile(partial):  # what makes it one stands at its end
                raise DiskError(
                    errno.EIO, f"{path}: the disk lost a part of the checkpoint without an error"
                )


def remove_remains(folder: Path) -> None:
    """Remove unfinished checkpoints whose writers are gone; who writes holds a lock."""
    for partial in folder.glob("*.ckpt.*.partial") if fcntl else ():
        with suppress(OSError), partial.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            partial.unlink()


def tensor_bytes(checkpoint: dict[str, Any]) -> int:
    """Bytes of all tensors: nearly the whole of the file."""
    sizes: list[int] = []
    apply_to_collection(checkpoint, Tensor, lambda tensor: sizes.append(tensor.nbytes))
    return sum(sizes)
