"""``lrfr calibrate``: thresholds at a wished error rate, for each resolution."""

from lrfr_lightning.cli.data import open_dataset
from lrfr_lightning.cli.recognition_options import model_parser, output_path, parsed, print_table
from lrfr_lightning.datasets.lfw import LFWPeople
from lrfr_lightning.recognition.calibration import RESOLUTIONS, Wish, calibrate
from lrfr_lightning.recognition.recogniser import Recogniser
from lrfr_lightning.recognition.thresholds import RateTable, Thresholds


def run(args: list[str]) -> Thresholds:
    """Calibrate, write the thresholds, print those at the wished rates."""
    parser = model_parser("calibrate", "Find thresholds at a wished error rate per resolution.")
    parser.add_argument(
        "--faces",
        type=str,
        required=True,
        help="a data set of aligned faces of people the model was not trained on; "
        "lfw: the DevTrain people of LRFR_DATA",
    )
    parser.add_argument("--fpir", type=float | None, default=0.01, help="wished; null: none")
    parser.add_argument("--far", type=float | None, default=0.001, help="wished; null: none")
    parser.add_argument(
        "--resolutions", type=int, nargs="+", default=list(RESOLUTIONS), help="of probes, px"
    )
    parser.add_argument("--most_people", type=int, default=5000, help="drawn where there are more")
    parser.add_argument("--flip", action="store_true", help="add the mirrored image's embedding")
    parser.add_argument("--output", type=str, default="thresholds.json", help="a .json file")
    options, model = parsed(parser, args)
    output = output_path(options.output, (".json",))
    recogniser = Recogniser(model, flip=options.flip)
    wish = Wish(options.fpir, options.far, options.resolutions, options.most_people)
    lfw = options.faces == "lfw"
    faces = LFWPeople("${LRFR_DATA}/lfw-112") if lfw else open_dataset(options.faces)
    name = "LFW peopleDevTrain" if lfw else options.faces
    found = calibrate(recogniser, faces, name, wish)
    found.save(output)
    show(found)
    print(f"thresholds: {output}")
    return found


def show(found: Thresholds) -> None:
    """Print the thresholds at the wished rates, with the interval of the rate."""
    tables = (
        (found.search, "FPIR", "{:,} people in the gallery", "searches"),
        (found.pairs, "FAR", "against {} px", "impostor pairs"),
    )
    for table, rate, column, counted in tables:
        if table:
            print_table(
                ("probe", *(column.format(value) for value in table.second)),
                _rows(table),
                f"threshold at {rate} {table.wished:g}, in brackets the 95 % interval of the "
                f"true {rate} in %; {table.count:,} {counted} of {found.people:,} people",
            )


def _rows(table: RateTable) -> list[list[str]]:
    at = table.rates.index(table.wished)
    return [
        [
            f"{side} px",
            *(
                f"{limits[at]:.3f} [{100 * low:.2g}, {100 * high:.2g}]"
                for limits, (low, high) in zip(row, ends, strict=True)
            ),
        ]
        for side, row, ends in zip(table.first, table.threshold, table.interval, strict=True)
    ]
