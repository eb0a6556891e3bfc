"""What an exported file will say of its model."""

from collections.abc import Sequence
from typing import Any

from lrfr_lightning import __version__
from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.embedders.base import ModuleEmbedder
from lrfr_lightning.embedders.metadata import ModelMetadata, Quantisation
from lrfr_lightning.protocols.result import ProtocolResult, resolution_name
from lrfr_lightning.reports.blocks import FLOORS
from lrfr_lightning.utils.errors import ConfigError

ADVICE = ("accuracy", "rank1", "tar@far=0.001", "tar@far=0.01")
"""Metrics that say at which resolutions a model may be used."""


def describe_model(
    backbone: Backbone,
    name: str,
    *,
    trained_resolutions: Sequence[int] = (),
    results: Sequence[ProtocolResult] = (),
    thresholds: dict[str, Any] | None = None,
    quantisation: Quantisation | None = None,
) -> ModelMetadata:
    """Metadata of a network.

    Args:
        backbone: the network.
        name: of the model in results.
        trained_resolutions: sides it was trained at, px.
        results: of ``lrfr evaluate``; those without a control, of images degraded on both sides,
            say what the model reaches at which resolution.
        thresholds: cosine thresholds, plain data.
        quantisation: None for float32.
    """
    return ModelMetadata(
        name=name,
        embedding_dim=backbone.embedding_dim,
        fingerprint=ModuleEmbedder(backbone, name).fingerprint(),
        library_version=__version__,
        trained_resolutions=list(trained_resolutions),
        measured=_measured([r for r in results if r.model == name]),
        thresholds=thresholds or {},
        quantisation=quantisation,
    )


def own_results(results: Sequence[ProtocolResult], name: str) -> list[ProtocolResult]:
    """The results of one model, and of the floors beside it.

    Raises:
        ConfigError: there are none of this model.
    """
    models = sorted({result.model for result in results} - set(FLOORS))
    if name not in models:
        raise ConfigError(
            f"the results are of {', '.join(models) or 'no model'}, none is of {name}; "
            "name the model as they do (--name), or measure it"
        )
    return [result for result in results if result.model in (name, *FLOORS)]


def _measured(results: Sequence[ProtocolResult]) -> dict[str, dict[str, dict[str, float | None]]]:
    measured: dict[str, dict[str, dict[str, float | None]]] = {}
    for result in results:
        if result.control == "none" and result.degraded == "both":
            values = {key: result.metrics[key] for key in ADVICE if key in result.metrics}
            measured.setdefault(result.protocol, {})[resolution_name(result.resolution)] = values
    return measured
