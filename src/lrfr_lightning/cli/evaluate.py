"""``lrfr evaluate``: models x protocols → one results file."""

import json
from typing import Any, Literal

from jsonargparse import ArgumentParser, Namespace
from jsonargparse.typing import NonNegativeInt
from lightning_fabric import Fabric

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.cli.command import told
from lrfr_lightning.embedders.base import Embedder, Precision
from lrfr_lightning.embedders.cache import CachedEmbedder
from lrfr_lightning.embedders.extraction import evaluate
from lrfr_lightning.embedders.files import WeightsEmbedder
from lrfr_lightning.embedders.floors import MeanColour, RawPixels
from lrfr_lightning.embedders.opening import open_model
from lrfr_lightning.functional.controls import Control
from lrfr_lightning.protocols.base import Protocol
from lrfr_lightning.protocols.named import PROTOCOLS, named_protocols
from lrfr_lightning.protocols.result import ProtocolResult, read_results, write_results
from lrfr_lightning.protocols.verification import VerificationProtocol
from lrfr_lightning.reports.terminal import print_tables
from lrfr_lightning.utils.distributed import leave
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.recipe import class_path

_SHARED = ("config", "output", "cache", "devices", "strategy", "accelerator", "num_workers")
"""How the work was shared out is no part of a result."""


def run(args: list[str]) -> list[ProtocolResult]:
    """Evaluate, write the results file, print the table."""
    parser = _parser()
    config = parser.parse_args(args[1:])
    options = parser.instantiate_classes(config)
    models, protocols = _models(options), _protocols(options)
    if options.cache:
        models = [_cached(model, options.cache) for model in models]
    fabric = _fabric(options)
    fabric.launch(
        _measure,  # type: ignore[arg-type]  # launch passes itself before the arguments
        models,
        protocols,
        options,
        _plain(config),
        told(args, [name for name in _SHARED if name != "config"]),
    )
    if not fabric.is_global_zero:
        return []
    results = read_results(options.output)
    print_tables(results)
    print(f"results: {options.output}")
    return results


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="lrfr evaluate", description="Measure models on protocols.")
    parser.add_argument("--config", action="config", help="YAML with any of these options")
    parser.add_argument(
        "--checkpoint",
        nargs="+",
        default=[],
        help="checkpoints of lrfr fit, files of lrfr export, or hub:REPO_ID@REVISION",
    )
    parser.add_argument("--weights", help="a bare weight file; needs --backbone")
    parser.add_subclass_arguments(Backbone, "backbone", required=False)
    parser.add_argument("--models", type=list[Embedder], default=[], help="any other models")
    parser.add_argument(
        "--protocol", nargs="+", default=[], help=f"protocols by name: {', '.join(PROTOCOLS)}"
    )
    parser.add_argument(
        "--root", default="${LRFR_DATA}/lfw-112", help="where named protocols find data"
    )
    parser.add_argument("--protocols", type=list[Protocol], default=[], help="any, by class")
    _add_variations(parser)
    parser.add_argument("--output", default="results.json", help="the results file")
    parser.add_argument(
        "--intervals", type=NonNegativeInt, default=1000, help="bootstrap replicates, or 0"
    )
    parser.add_argument(
        "--examples", type=NonNegativeInt, default=4, help="hardest pairs of each kind shown"
    )
    parser.add_argument(
        "--precision",
        type=Precision,
        default="float32",
        help="of --checkpoint and --weights: float32, or bf16, faster and a little less exact",
    )
    parser.add_argument("--cache", help="folder that keeps embeddings for the next time")
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--num_workers", type=int, default=0)
    parser.add_argument("--accelerator", default="auto", help="cpu, gpu or auto")
    parser.add_argument("--devices", type=int, default=1, help="processes to share the work")
    parser.add_argument("--strategy", help="by default ddp_spawn for several devices")
    return parser


def _add_variations(parser: ArgumentParser) -> None:
    """How the protocols that are given by name are measured."""
    parser.add_argument(
        "--resolutions", nargs="+", type=int | Literal["native"], help="px, or native images"
    )
    parser.add_argument(
        "--controls", nargs="+", type=Control, default=["none"], help="measured under each of these"
    )
    parser.add_argument("--matrix", action="store_true", help="also every resolution with every")
    parser.add_argument("--flip", action="store_true", help="add the mirrored image's embedding")
    parser.add_argument(
        "--groups", help="CSV of lines name,group: errors of each group of people in verification"
    )
    parser.add_argument("--floors", action="store_true", help="also raw pixels and mean colour")


def _models(options: Namespace) -> list[Embedder]:
    precision = options.precision
    models: list[Embedder] = [open_model(path, precision=precision) for path in options.checkpoint]
    if options.weights:
        if options.backbone is None:
            raise ConfigError("--weights needs --backbone, the network the weights belong to")
        models.append(WeightsEmbedder(options.backbone, options.weights, precision=precision))
    models += options.models
    if options.floors:
        given = [model.name for model in models]
        models += [floor for floor in (RawPixels(), MeanColour()) if floor.name not in given]
    names = [model.name for model in models]
    if not models or len(set(names)) < len(names):
        raise ConfigError(
            f"expected models of different names, got {names or 'none'}; give --checkpoint, "
            "--weights with --backbone, or models in YAML with a name each"
        )
    return models


def _protocols(options: Namespace) -> list[Protocol]:
    named = [
        protocol
        for name in options.protocol
        for settings in _variations(options)
        for protocol in named_protocols(name, options.root, settings)
    ]
    protocols: list[Protocol] = [*named, *options.protocols]
    if not protocols:
        raise ConfigError(f"no protocol given; --protocol takes any of {', '.join(PROTOCOLS)}")
    for protocol in protocols:
        protocol.intervals, protocol.examples = options.intervals, options.examples
        if options.groups:
            _group(protocol, options.groups)
    return protocols


def _group(protocol: Protocol, path: str) -> None:
    if not isinstance(protocol, VerificationProtocol):
        raise ConfigError(
            f"--groups: errors by group are measured in verification of pairs, not in "
            f"{protocol.name}; leave one of the two out"
        )
    protocol.group_by(path)


def _variations(options: Namespace) -> list[dict[str, Any]]:
    """Settings of each named protocol: one set per control, and one for the matrix."""
    shared: dict[str, Any] = {"flip": True} if options.flip else {}
    if options.resolutions:
        shared["resolutions"] = [None if r == "native" else r for r in options.resolutions]
    single: list[dict[str, Any]] = [
        {} if control == "none" else {"control": control} for control in options.controls
    ]
    matrix = [{"degraded": "matrix"}] if options.matrix else []
    return [shared | settings for settings in single + matrix]


def _cached(model: Embedder, folder: str) -> Embedder:
    if model.fingerprint() is None:
        print(f"{model.name} has no fingerprint: its embeddings are not kept")
        return model
    return CachedEmbedder(model, folder)


def _fabric(options: Namespace) -> Fabric:
    strategy = options.strategy or ("ddp_spawn" if options.devices > 1 else "auto")
    return Fabric(accelerator=options.accelerator, devices=options.devices, strategy=strategy)


def _measure(
    fabric: Fabric,
    models: list[Embedder],
    protocols: list[Protocol],
    options: Namespace,
    config: dict[str, Any],
    command: list[str],
) -> None:
    """Measure on all ranks; the first one writes the file.

    It hands nothing back: a launched process that returns more than a pipe holds waits forever.
    """
    for model in models:
        model.to(fabric.device)
    results = [
        result
        for protocol in protocols
        for model in models
        for result in evaluate(model, protocol, options.batch_size, options.num_workers)
    ]
    for model in models:
        if isinstance(model, CachedEmbedder):
            model.flush()
    if fabric.is_global_zero:
        write_results(options.output, results, config, command)
    leave()


def _plain(config: Namespace) -> dict[str, Any]:
    """The options as JSON data."""
    plain = {key: value for key, value in config.as_dict().items() if key not in _SHARED}
    # a function of the user's own is its import path again
    written: dict[str, Any] = json.loads(json.dumps(plain, default=class_path))
    return written
