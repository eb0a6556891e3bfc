"""``lrfr demo``: a local page that compares two faces at any resolution."""

import webbrowser
from copy import deepcopy
from pathlib import Path

from jsonargparse import ArgumentParser
from lightning_fabric import Fabric

from lrfr_lightning.backbones.base import Backbone
from lrfr_lightning.demo import Album, Comparer, DemoServer, Floor
from lrfr_lightning.embedders.base import Embedder
from lrfr_lightning.embedders.opening import WEIGHTS, open_model
from lrfr_lightning.recognition.recogniser import Recogniser
from lrfr_lightning.recognition.thresholds import Thresholds
from lrfr_lightning.utils.errors import ConfigError, DataError


def run(args: list[str]) -> None:
    """Open the models, serve the page until Ctrl-C."""
    parser = ArgumentParser(
        prog="lrfr demo",
        description="Serve a page on this machine alone: two faces, a slider from 112 to 7 px, and "
        "what each model says.",
    )
    parser.add_argument(
        "--model",
        type=str,
        nargs="+",
        default=[],
        help=".ckpt of lrfr fit, .onnx, weight files; without one raw pixels are compared",
    )
    parser.add_subclass_arguments(
        Backbone, "backbone", required=False, help="the network of all weight files, by name"
    )
    parser.add_argument(
        "--thresholds",
        type=str,
        nargs="+",
        default=[],
        help="files of lrfr calibrate, in any order; a model without one decides nothing",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--no-browser", action="store_true", help="print the address alone")
    parser.add_argument("--accelerator", type=str, default="auto", help="cpu, gpu or auto")
    options = parser.instantiate_classes(parser.parse_args(args[1:]))
    # the port first: a taken one is known before the models are loaded
    with DemoServer(options.port) as server:
        thresholds = [Thresholds.load(path) for path in options.thresholds]
        models = open_models(options.model, options.backbone)
        device = Fabric(accelerator=options.accelerator, devices=1).device
        for model in models:
            model.to(device)
        server.comparer = Comparer(recognisers(models, thresholds), Album())
        print(f"{', '.join(m.name for m in models)} at {server.url}\nCtrl-C ends it", flush=True)
        if not options.no_browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nended")


def open_models(paths: list[str], backbone: Backbone | None) -> list[Embedder]:
    """The models of some files, each of another name; raw pixels where there is no file."""
    if not paths:
        return [Floor()]
    weights = [Path(path).suffix.lower() in WEIGHTS for path in paths]
    models = [
        # each weight file fills a network of its own; one that no file needs is an error there
        open_model(path, deepcopy(backbone) if own or not any(weights) else None)
        for path, own in zip(paths, weights, strict=True)
    ]
    names = [model.name for model in models]
    for model, path in zip(models, paths, strict=True):
        # each run of lrfr fit has its last.ckpt
        if names.count(model.name) > 1:
            model.name = path
    return models


def recognisers(models: list[Embedder], thresholds: list[Thresholds]) -> list[Recogniser]:
    """Each model with its own thresholds, which its content tells from other models'.

    Raises:
        ConfigError: two files of thresholds are the same model's.
        DataError: thresholds are none of these models'.
    """
    found = {own.fingerprint: own for own in thresholds}
    if len(found) < len(thresholds):
        raise ConfigError(
            f"expected one file of thresholds for each model, got several of "
            f"{', '.join(sorted({own.model for own in thresholds}))}"
        )
    made = []
    for model in models:
        own = found.get(model.fingerprint() or "")
        made.append(Recogniser(model, own, bool(own and own.flip)))
    strange = found.keys() - {one.fingerprint for one in made}
    if strange:
        raise DataError(
            f"thresholds of {', '.join(found[key].model for key in strange)} are of none of the "
            f"models {', '.join(model.name for model in models)}; calibrate with these"
        )
    return made
