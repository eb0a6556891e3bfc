"""``lrfr restore``: what resolvers make of faces at low resolution, as a picture."""

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace
from jsonargparse.typing import PositiveInt

from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.datasets.encoded import read_image_file
from lrfr_lightning.functional.image import Image
from lrfr_lightning.preprocessing.checkpoint_resolver import CheckpointResolver
from lrfr_lightning.preprocessing.super_resolver import Bicubic, SuperResolver
from lrfr_lightning.reports.drawing import png_bytes
from lrfr_lightning.reports.restoration import restoration_columns, restoration_figure
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.paths import existing, expand, whole_file


def run(args: list[str]) -> Path:
    """Shrink, restore, write the picture and return its path."""
    options = _parser().parse_args(args[1:])
    faces = [_face(path) for path in options.image]
    resolvers = _resolvers(_parser().instantiate_classes(options))
    columns = restoration_columns(faces, options.resolution, resolvers)
    output = expand(options.output)
    with whole_file(output) as partial:
        partial.write_bytes(png_bytes(restoration_figure(columns)))
    print(f"picture: {output}")
    return output


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="lrfr restore",
        description="Draw faces at low resolution, restored by each resolver, and as they were.",
    )
    parser.add_argument("image", nargs="+", help="aligned faces of 112x112 px")
    parser.add_argument("--config", action="config", help="YAML with any of these options")
    parser.add_argument(
        "--checkpoint", nargs="+", default=[], help="checkpoints of SuperResolutionTask"
    )
    parser.add_argument(
        "--resolvers", type=list[SuperResolver], default=[], help="any others, by class"
    )
    parser.add_argument(
        "--resolution", type=PositiveInt, default=14, help="side of the small faces, px"
    )
    parser.add_argument("--output", default="restored.png", help="the picture, PNG")
    return parser


def _face(path: str) -> Image:
    source = existing(path, "image")
    return decode_image(read_image_file(source), str(source))


def _resolvers(options: Namespace) -> list[SuperResolver]:
    trained = [CheckpointResolver(path) for path in options.checkpoint]
    resolvers: list[SuperResolver] = [Bicubic(), *trained, *options.resolvers]
    names = [resolver.name for resolver in resolvers]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"expected resolvers of different names, got {', '.join(names)}; give them as "
            "--resolvers in YAML, with a name each"
        )
    return resolvers
