"""``lrfr verify A B``: do two images show the same person?"""

from dataclasses import asdict
from pathlib import Path

from lrfr_lightning.cli.recognition_options import (
    add_align,
    aligner_of,
    model_parser,
    number,
    output_path,
    parsed,
    print_table,
    write_json,
)
from lrfr_lightning.recognition.answers import Comparison
from lrfr_lightning.recognition.faces import check_resolution, read_face
from lrfr_lightning.recognition.recogniser import Embedded, Recogniser
from lrfr_lightning.recognition.thresholds import Thresholds
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.paths import existing


def run(args: list[str]) -> Comparison:
    """Compare, print, write the answer if asked."""
    parser = model_parser("verify", "Compare two faces.")
    parser.add_argument("first", type=str, help="image file")
    parser.add_argument("second", type=str, help="image file")
    parser.add_argument(
        "--thresholds", type=str | None, help="file of lrfr calibrate; without it none is decided"
    )
    parser.add_argument(
        "--resolution", type=int, nargs="+", default=[], help="shrink both, or each, to a side, px"
    )
    parser.add_argument("--output", type=str | None, help="a .json file")
    add_align(parser)
    options, model = parsed(parser, args)
    output = output_path(options.output, (".json",)) if options.output else None
    sides = _sides(options.resolution)
    files = [existing(path, "image") for path in (options.first, options.second)]
    thresholds = Thresholds.load(options.thresholds) if options.thresholds else None
    recogniser = Recogniser(model, thresholds, bool(thresholds and thresholds.flip))
    aligner = aligner_of(options)
    faces = [read_face(path, side, aligner) for path, side in zip(files, sides, strict=True)]
    both = recogniser.embed_faces(faces)
    answer = recogniser.compare_embedded(both)
    _print(files, both, answer, thresholds)
    if output:
        write_json(output, {"first": str(files[0]), "second": str(files[1])} | asdict(answer))
        print(f"answer: {output}")
    return answer


def _sides(given: list[int]) -> list[int | None]:
    """A resolution for each image."""
    if len(given) > 2:
        raise ConfigError(f"--resolution: expected one or two sides, got {given}")
    for side in given:
        check_resolution(side)
    return [None, None] if not given else [given[0], given[-1]]


def _print(
    files: list[Path], both: Embedded, answer: Comparison, thresholds: Thresholds | None
) -> None:
    print_table(
        ("image", "px", "sharpness", "norm"),
        [
            (str(file), str(side), number(float(sharp), 1), number(float(norm), 2))
            for file, side, sharp, norm in zip(
                files, both.resolution, both.sharpness, both.norm, strict=True
            )
        ],
        f"score {answer.score:.3f}, threshold {number(answer.threshold)}, "
        f"FAR {number(answer.far, 5)}: {answer.decision}",
    )
    table = thresholds.pairs if thresholds else None
    if answer.threshold is None:
        print("no threshold for these resolutions, so that nothing is decided")
    elif table:
        print(f"the threshold is that of FAR {table.wished:g}; FAR is where the score just passes")
