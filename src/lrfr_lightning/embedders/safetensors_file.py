"""Models as safetensors files whose header says which network the weights belong to."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.backbones.weights import load_weights
from lrfr_lightning.embedders.base import ModuleEmbedder, Precision
from lrfr_lightning.embedders.metadata import read_metadata, read_pixel_spec
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.plain import check_size
from lrfr_lightning.utils.reading import parse_json
from lrfr_lightning.utils.rebuild import build
from lrfr_lightning.utils.recipe import class_path

NETWORK_KEY = "lrfr.network"
"""Under this key: ``class_path`` and ``init_args`` of the backbone as JSON."""


class SafetensorsEmbedder(ModuleEmbedder):
    """A file of :func:`~lrfr_lightning.export.export_safetensors`.

    The file is untrusted: it holds no code, and its network has to be one of this library's
    backbones, or one whose module the program has imported itself.

    Args:
        path: the ``.safetensors`` file.
        name: the model's name in results; by default the file's.
        precision: see :class:`~lrfr_lightning.embedders.base.ModuleEmbedder`.

    Raises:
        ConfigError: the file does not say its network.
        DataError: no such file, it cannot be read, or its network is not known.
    """

    def __init__(
        self, path: str, name: str | None = None, precision: Precision = "float32"
    ) -> None:
        file = existing(path, "model")
        texts = read_header(file)
        if NETWORK_KEY not in texts:
            raise ConfigError(
                f"{file} does not say which network its weights belong to; give the backbone too"
            )
        described = _known(texts[NETWORK_KEY], file)
        backbone = build(described, Backbone, "backbone", file)  # type: ignore[type-abstract]
        load_weights(backbone, file)
        spec = read_pixel_spec(texts, file)
        if spec is not None:
            backbone.pixel_spec = spec
        super().__init__(backbone, name or file.stem, precision)
        self.metadata = read_metadata(texts, file)


def read_header(file: Path) -> dict[str, str]:
    """The texts in the header of a safetensors file; empty if it has none.

    Raises:
        DataError: it is no safetensors file.
    """
    try:
        with safe_open(file, framework="pt") as content:
            return dict(content.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise DataError(f"{file} cannot be read as safetensors ({error})") from None


def _known(text: str, file: Path) -> dict[str, Any]:
    """The description of a network, whose class is loaded already: nothing is imported for it."""
    try:
        described = parse_json(text)
        check_size(described)
        name, arguments = described["class_path"], described["init_args"]
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(f"{file}: {NETWORK_KEY!r} describes no network ({error!r:.200})") from None
    known = [class_path(own) for own in _subclasses(Backbone)]
    if name not in known or "class_path" in json.dumps(arguments):
        raise DataError(
            f"{file} names the network {name!r}, which is none of {', '.join(sorted(known))}; "
            "import the module of your own backbone first"
        )
    return {"class_path": name, "init_args": arguments}


def _subclasses(cls: type[Any]) -> list[type[Any]]:
    found: list[type[Any]] = []
    for child in cls.__subclasses__():
        found += [child, *_subclasses(child)]
    return found
