"""``lrfr export``: a model as an ONNX file, a program, safetensors, a folder, or on the Hub."""

from pathlib import Path
from typing import Any, NoReturn, get_args

from jsonargparse import ArgumentParser, Namespace
from jsonargparse.typing import PositiveInt

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.embedders.base import ModuleEmbedder
from lrfr_lightning.embedders.hub import import_hub
from lrfr_lightning.embedders.metadata import ModelMetadata, Quantisation
from lrfr_lightning.embedders.opening import open_model
from lrfr_lightning.export.description import describe_model, own_results
from lrfr_lightning.export.faces import CALIBRATED, CHECKED, check_faces
from lrfr_lightning.export.files import Format, check_target, export_model
from lrfr_lightning.export.hub import push_folder, save_folder
from lrfr_lightning.export.model_card import CardText
from lrfr_lightning.export.parity import Parity
from lrfr_lightning.protocols.result import ProtocolResult, read_results
from lrfr_lightning.utils.errors import ConfigError, DataError
from lrfr_lightning.utils.paths import existing, expand
from lrfr_lightning.utils.reading import MAX_JSON_BYTES, parse_json, read_bounded


def run(args: list[str]) -> list[Parity]:
    """Write the file or folder, print the parity; push, if asked."""
    parser = _parser()
    options = parser.instantiate_classes(parser.parse_args(args[1:]))
    _check_options(options)
    results = read_results(options.results) if options.results else []
    thresholds = _thresholds(options.thresholds) if options.thresholds else {}
    model = _network(options)
    own = own_results(results, model.name) if results else []
    metadata = describe_model(
        model.backbone,
        model.name,
        trained_resolutions=options.trained_resolutions,
        results=own,
        thresholds=thresholds,
        quantisation=options.quantise,
    )
    found = _write(options, model, metadata, own)
    _print(found, options.quantise)
    print(f"model: {options.output}")
    if options.hub:
        print(f"pushed: {push_folder(expand(options.output), options.hub, options.public)}")
    return found


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="lrfr export", description="Write a model for others to use.")
    parser.add_argument("--model", required=True, help="checkpoint, weights, or hub:REPO@REVISION")
    parser.add_subclass_arguments(Backbone, "backbone", required=False)
    parser.add_argument("--format", choices=[*get_args(Format), "folder"], required=True)
    parser.add_argument("--output", required=True, help="the file, or a new folder")
    parser.add_argument("--name", help="the model's name in results; by default the file's")
    parser.add_argument("--quantise", type=Quantisation | None, help="of ONNX files")
    parser.add_argument(
        "--check_images", help="folder of aligned faces to measure on; else embedded faces"
    )
    parser.add_argument("--thresholds", help="JSON file of cosine thresholds, kept in the metadata")
    parser.add_argument("--results", help="results file of lrfr evaluate, for metadata and card")
    parser.add_argument("--trained_resolutions", nargs="+", type=PositiveInt, default=[])
    parser.add_argument("--licence", default="other", help="of the weights, as the Hub names it")
    parser.add_argument("--training_data", default=CardText.training_data)
    parser.add_argument("--data_licence", default=CardText.data_licence)
    parser.add_argument("--hub", help="repository OWNER/NAME to push the folder to")
    parser.add_argument("--public", action="store_true", help="a new repository is not private")
    return parser


def _check_options(options: Namespace) -> None:
    if options.format == "folder":
        if options.quantise:
            raise ConfigError(f"--quantise {options.quantise} is for --format onnx")
        if options.hub:
            import_hub()
        return
    if options.hub:
        raise ConfigError("--hub pushes a folder; give --format folder")
    check_target(Path(options.output), options.format, options.quantise)


def _network(options: Namespace) -> ModuleEmbedder:
    model = open_model(options.model, options.backbone)
    if not isinstance(model, ModuleEmbedder):
        raise ConfigError(
            f"{options.model} is an exported file already; export the checkpoint or the "
            "safetensors file it was made from"
        )
    model.name = options.name or model.name
    return model


def _write(
    options: Namespace,
    model: ModuleEmbedder,
    metadata: ModelMetadata,
    results: list[ProtocolResult],
) -> list[Parity]:
    int8 = options.quantise == "int8"
    faces = check_faces(options.check_images, CALIBRATED if int8 else CHECKED)
    if options.format != "folder":
        return export_model(model, options.output, options.format, metadata, faces)
    text = CardText(options.licence, options.training_data, options.data_licence)
    return save_folder(model, options.output, metadata, faces, results, text, options.hub)


def _thresholds(path: str) -> dict[str, Any]:
    file = existing(path, "thresholds")
    try:
        content = parse_json(read_bounded(file, MAX_JSON_BYTES, "thresholds"), _no_number)
    except ValueError as error:
        raise DataError(f"{file} is not JSON ({error}); expected thresholds") from None
    if not isinstance(content, dict):
        raise DataError(f"{file}: expected a JSON object of thresholds")
    return content


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no threshold")


def _print(found: list[Parity], quantise: str | None) -> None:
    what = f"cost of {quantise}" if quantise else "parity"
    print(f"{what}: cosine of the file's embeddings and the network's")
    for parity in found:
        print(f"{parity.resolution:>4} px  smallest {parity.smallest:.6f}  mean {parity.mean:.6f}")
