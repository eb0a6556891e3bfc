"""What an exported file says of its model, as texts by key: ONNX, safetensors, torch.export."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.plain import check_types
from lrfr_lightning.utils.reading import parse_json

Quantisation = Literal["int8", "fp16"]

PIXEL_SPEC_KEY = "lrfr.pixel_spec"
"""Under this key: the fields of the model's :class:`PixelSpec` as JSON."""

MODEL_KEY = "lrfr.model"
"""Under this key: the fields of its :class:`ModelMetadata` as JSON."""


@dataclass(frozen=True)
class ModelMetadata:
    """What an application has to know of a model, beside its pixels.

    Attributes:
        name: the model's name in results.
        embedding_dim: D, the length of an embedding.
        fingerprint: of the network it was exported from, see
            :meth:`~lrfr_lightning.embedders.Embedder.fingerprint`.
        library_version: what wrote the file.
        trained_resolutions: sides it was trained at, px; empty where nobody said.
        measured: by protocol and resolution (``"14"`` or ``"native"``) the main metrics, 0..1.
        thresholds: cosine thresholds, as their file has them.
        quantisation: None for float32.
    """

    name: str
    embedding_dim: int
    fingerprint: str
    library_version: str
    trained_resolutions: list[int] = field(default_factory=list)
    measured: dict[str, dict[str, dict[str, float | None]]] = field(default_factory=dict)
    thresholds: dict[str, Any] = field(default_factory=dict)
    quantisation: Quantisation | None = None


def metadata_texts(pixel_spec: PixelSpec, metadata: ModelMetadata) -> dict[str, str]:
    """Both as JSON, by key."""
    return {PIXEL_SPEC_KEY: _json(asdict(pixel_spec)), MODEL_KEY: _json(asdict(metadata))}


def read_pixel_spec(texts: dict[str, str], source: object) -> PixelSpec | None:
    """The :class:`PixelSpec` of a file, or None if it does not say.

    Raises:
        DataError: what it says is none; the message names ``source``.
    """
    text = texts.get(PIXEL_SPEC_KEY)
    if text is None:
        return None
    try:
        spec = PixelSpec(**parse_json(text))
        check_types(spec)
        return spec
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{source}: metadata {PIXEL_SPEC_KEY!r} are no PixelSpec ({error}): {text:.200}"
        ) from None


def read_metadata(texts: dict[str, str], source: object) -> ModelMetadata | None:
    """The :class:`ModelMetadata` of a file, or None if it has none; unknown keys are ignored.

    Raises:
        DataError: they are malformed; the message names ``source``.
    """
    text = texts.get(MODEL_KEY)
    if text is None:
        return None
    known = {entry.name for entry in fields(ModelMetadata)}
    try:
        content = parse_json(text)
        found = ModelMetadata(**{key: content[key] for key in content if key in known})
        check_types(found)
        return found
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{source}: metadata {MODEL_KEY!r} are malformed ({error}): {text:.200}"
        ) from None


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)
