"""``lrfr sharpness``: what a face's Laplacian says of its resolution, as a figure."""

from pathlib import Path

from jsonargparse import ArgumentParser
from jsonargparse.typing import PositiveInt

from lrfr_lightning.datasets.codec import decode_image
from lrfr_lightning.datasets.encoded import read_image_file
from lrfr_lightning.reports.drawing import png_bytes
from lrfr_lightning.reports.sharpness import degraded, describe, sharpness_figure
from lrfr_lightning.utils.paths import existing, expand, whole_file


def run(args: list[str]) -> Path:
    """Print both values, write the figure and return its path."""
    parser = ArgumentParser(
        prog="lrfr sharpness",
        description="Draw a face, its low-resolution version and the Laplacian of each.",
    )
    parser.add_argument("image", type=str, help="an aligned face: JPEG, PNG, BMP or WebP")
    parser.add_argument("--output", type=str, default="sharpness.png", help="the figure, PNG")
    parser.add_argument(
        "--resolution", type=PositiveInt, default=16, help="side of the low-resolution face, px"
    )
    options = parser.parse_args(args[1:])
    source = existing(options.image, "image")
    image = decode_image(read_image_file(source), str(source))
    figure = sharpness_figure(image, options.resolution)
    print(describe(image, min(image.shape[:2])))
    print(describe(degraded(image, options.resolution), options.resolution))
    output = expand(options.output)
    with whole_file(output) as partial:
        partial.write_bytes(png_bytes(figure))
    print(f"figure: {output}")
    return output
