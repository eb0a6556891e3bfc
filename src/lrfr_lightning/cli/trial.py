"""``lrfr trial``: a model and its thresholds on LFW people whom neither has seen."""

from dataclasses import asdict
from typing import Literal

import numpy as np

from lrfr_lightning.cli.calibrate import show
from lrfr_lightning.cli.command import told
from lrfr_lightning.cli.recognition_options import model_parser, output_path, parsed
from lrfr_lightning.datasets.base import FaceDataset
from lrfr_lightning.datasets.lfw import LFWPeople
from lrfr_lightning.protocols.result import ProtocolResult, write_results
from lrfr_lightning.recognition.calibration import Wish, calibrate
from lrfr_lightning.recognition.recogniser import Recogniser
from lrfr_lightning.recognition.trial import Chosen, half_enrolled, measure, three_images
from lrfr_lightning.reports.terminal import print_tables

CalibratedOn = Literal["devtrain", "half"]


def run(args: list[str]) -> list[ProtocolResult]:
    """Calibrate, measure, write the results file, print the tables."""
    parser = model_parser("trial", "Search LFW's DevTest people at calibrated thresholds.")
    parser.add_argument("--root", type=str, default="${LRFR_DATA}/lfw-112", help="folder of LFW")
    parser.add_argument(
        "--calibrate_on",
        type=CalibratedOn,
        default="devtrain",
        help="DevTrain people, or, for a model trained on them, half of the DevTest people, who "
        "then take no part in the search with one image",
    )
    parser.add_argument("--fpir", type=float, default=0.01, help="wished")
    parser.add_argument("--resolutions", type=int, nargs="+", default=[112, 28, 20, 14])
    parser.add_argument(
        "--calibrated",
        type=int,
        nargs="+",
        default=[112, 28, 14],
        help="resolutions of the thresholds, px; between them they are interpolated",
    )
    parser.add_argument("--flip", action="store_true", help="add the mirrored image's embedding")
    parser.add_argument("--output", type=str, default="trial.json", help="the results file")
    options, model = parsed(parser, args)
    output = output_path(options.output, (".json",))
    people = LFWPeople(options.root, "peopleDevTest.txt")
    order = np.random.default_rng(0).permutation(people.num_classes)
    half = len(order) // 2 if options.calibrate_on == "half" else 0
    calibration: FaceDataset = LFWPeople(options.root)
    name = "LFW peopleDevTrain"
    if half:
        calibration, name = Chosen(people, order[:half]), f"{half} of LFW peopleDevTest"
    plain = Recogniser(model, flip=options.flip)
    wish = Wish(options.fpir, None, options.calibrated)
    thresholds = calibrate(plain, calibration, name, wish)
    show(thresholds)
    recogniser = Recogniser(model, thresholds, options.flip)
    protocols = [
        half_enrolled(people, order[half:], options.resolutions, options.flip),
        three_images(people, order, options.resolutions, options.flip),
    ]
    results = measure(recogniser, protocols)
    command = told(args, ("output", "accelerator"))
    write_results(output, results, {"thresholds": asdict(thresholds)}, command)
    print_tables(results)
    print(f"results: {output}")
    return results
