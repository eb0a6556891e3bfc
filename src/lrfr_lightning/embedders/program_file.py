"""Models as ``torch.export`` programs."""

import warnings
import zipfile
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export.passes import move_to_device_pass

from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.embedders.metadata import read_metadata, read_pixel_spec
from lrfr_lightning.utils.errors import DataError, first_few
from lrfr_lightning.utils.fingerprint import fingerprint_of
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.reading import parse_json

METADATA_FILE = "lrfr.json"
"""Extra file of the archive: its texts by key, see :mod:`lrfr_lightning.embedders.metadata`."""

METADATA_PART = f"extra/{METADATA_FILE}"
CONSTANTS = "data/constants/"

MAX_TEXT_BYTES = 1 << 26
"""Of a part that is text, inflated; a network of a hundred layers has some 100,000."""


class ProgramEmbedder(Embedder):
    """A ``.pt2`` file of :func:`~lrfr_lightning.export.export_program`, without its Python class.

    It is a program: open only one whose source you trust. Parts of it that are pickled, which
    :func:`~lrfr_lightning.export.export_program` never writes, are refused unread.

    Args:
        path: the ``.pt2`` file.
        name: the model's name in results; by default the file's.

    Raises:
        DataError: no such file, it is no such program, or it has pickled parts.
    """

    def __init__(self, path: str, name: str | None = None) -> None:
        self.path = existing(path, "exported program")
        self.name = name or self.path.stem
        self._device = torch.device("cpu")
        texts = _read_archive(self.path)
        spec = read_pixel_spec(texts, self.path)
        if spec is None:
            raise DataError(f"{self.path} does not say how its pixels are normalised; export anew")
        self.pixel_spec = spec
        self.metadata = read_metadata(texts, self.path)
        _ = self._module

    def to(self, device: torch.device) -> None:
        """Move the program to a device."""
        self._device = device
        self.__dict__.pop("_module", None)

    @torch.inference_mode()
    def embed(self, images: Tensor) -> Tensor:
        """Images ``(B, 3, 112, 112)`` RGB, 0..255 → float32 embeddings ``(B, D)``."""
        pixels = self.pixel_spec.normalise(images.to(self._device))
        embedding: Tensor = self._module(pixels.contiguous())
        return embedding.float()

    def fingerprint(self) -> str:
        """The file's content."""
        return fingerprint_of("program", [self.path.read_bytes()])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_module"}

    @cached_property
    def _module(self) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's own, about its format
                program = torch.export.load(str(self.path))
        except Exception as error:  # whatever the parts of a damaged program lead to
            raise _unreadable(self.path, error) from None
        if self._device.type != "cpu":
            program = move_to_device_pass(program, self._device)
        return program.module()


def _read_archive(path: Path) -> dict[str, str]:
    """The metadata; the archive is looked through, nothing of it is run."""
    try:
        with zipfile.ZipFile(path) as archive:
            pickled = _pickled_parts(archive)
            texts: dict[str, str] = _json(archive, _parts(archive)[METADATA_PART])
    except Exception as error:  # a damaged archive raises whatever its bytes lead to
        raise _unreadable(path, error) from None
    if pickled:
        raise DataError(
            f"{path} has pickled parts ({first_few(pickled, 3)}), which could run code; "
            "expected a file of lrfr export --format torch"
        )
    return texts


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Full name of each part by its name below the archive's one folder."""
    names = archive.namelist()
    parts = {name.partition("/")[2]: name for name in names}
    if len(parts) < len(names) or len({name.partition("/")[0] for name in names}) > 1:
        raise ValueError("several parts of one name")
    return parts


def _pickled_parts(archive: zipfile.ZipFile) -> list[str]:
    """Names of the parts that torch would unpickle without restriction."""
    parts = _parts(archive)
    constants = [n.removeprefix(CONSTANTS) for n in parts if n.startswith(CONSTANTS)]
    pickled = [n for n in constants if not n.startswith("tensor_") and not n.endswith(".json")]
    for name in (n for n in parts if n.endswith("_config.json")):
        entries = _json(archive, parts[name])["config"]
        pickled += [key for key, entry in entries.items() if entry.get("use_pickle")]
    return pickled


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    size = archive.getinfo(name).file_size
    if size > MAX_TEXT_BYTES:
        raise ValueError(f"{name} claims {size} bytes, expected at most {MAX_TEXT_BYTES}")
    return parse_json(archive.read(name))


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).partition("\n")[0] or type(error).__name__
    return DataError(
        f"{path} cannot be read as an exported program ({reason}); "
        "expected a .pt2 file of lrfr export --format torch"
    )
