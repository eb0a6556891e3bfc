"""``lrfr COMMAND``: looks the command up and imports no more than that one needs."""

import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from lrfr_lightning import __version__
from lrfr_lightning.utils.errors import ConfigError, DataError, DiskError, lost_worker
from lrfr_lightning.utils.imports import scipy_signal_deferred
from lrfr_lightning.utils.memory import keep_freed_memory, no_collection

COMMANDS = {
    "fit": ("training", "train or fine-tune a model"),
    "validate": ("training", "run the callbacks' protocols on a model, as during training"),
    "test": ("training", "the same under test/, for the end of a run"),
    "predict": ("training", "write the embeddings of a data set"),
    "replay": ("replay", "make the batch of a step that was not finite again, and show it"),
    "evaluate": ("evaluate", "measure models on protocols and write the results as JSON"),
    "study": ("study", "train recipes under one budget, over seeds, and compare them"),
    "embed": ("embed", "image files to a file of embeddings"),
    "enroll": ("enroll", "put people into a gallery, from a folder of images for each"),
    "gallery": ("gallery", "who is in a gallery; remove people, merge galleries"),
    "calibrate": ("calibrate", "thresholds at a wished error rate, for each resolution"),
    "identify": ("identify", "who is on these images, among the people of a gallery"),
    "verify": ("verify", "do two images show the same person"),
    "demo": ("demo", "compare two faces on a local page, at any resolution"),
    "trial": ("trial", "search LFW's people at calibrated thresholds"),
    "report": ("report", "results as terminal table, Markdown, PNG and one HTML page"),
    "reproduce": ("reproduce", "run what a results file says again, and compare every number"),
    "compare": ("compare", "what changed between two results files, and whether by chance"),
    "export": ("export", "write a model as ONNX, torch.export, safetensors, or to the Hub"),
    "data": ("data", "check or convert a data set, or write embedded faces to disk"),
    "align": ("align", "find faces in photographs and bring them to 112x112 px"),
    "restore": ("restore", "draw faces at low resolution, restored, and as they were"),
    "sharpness": ("sharpness", "draw the Laplacian of a face at high and low resolution"),
}


def main(args: Sequence[str] | None = None) -> Any:
    """Run one command; what it made is returned, so that tests and notebooks can look at it.

    Args:
        args: the command line without the program's name; None reads ``sys.argv``.
    """
    arguments = list(sys.argv[1:] if args is None else args)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return None
    if arguments[0] == "--version":
        print(__version__)
        return None
    if arguments[0] not in COMMANDS:
        sys.exit(f"lrfr: no command {arguments[0]!r}\n\n{usage()}")
    # classes of the user's own files can stand in YAML
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    import_module("lrfr_lightning.cli.yaml_files").bound_yaml()
    with no_collection(), scipy_signal_deferred():
        module = import_module(f"lrfr_lightning.cli.{COMMANDS[arguments[0]][0]}")
    run: Callable[[list[str]], Any] = module.run
    try:
        return run(arguments)
    except Exception as error:
        own = cause(error)
        if own is None:
            raise
        sys.exit(f"lrfr {arguments[0]}: {own}")


def cause(error: BaseException | None) -> ConfigError | DataError | DiskError | None:
    """The library's own error behind an error; the parser wraps those that it meets.

    Of several lost workers it is the first: the others were ended because of it.
    """
    lost = None
    while error is not None:
        if isinstance(error, ConfigError | DataError | DiskError):
            return error
        lost = lost_worker(error) or lost
        error = error.__cause__ or error.__context__
    return lost


def console() -> None:
    """The console script: its process is its own, and what a command returns is no exit code."""
    keep_freed_memory()
    try:
        main()
    finally:
        # the interpreter would look for garbage in what ends with it anyway: more than a second
        gc.freeze()


def usage() -> str:
    """What ``lrfr --help`` prints."""
    lines = [f"  {name:<10}{help_line}" for name, (_, help_line) in COMMANDS.items()]
    return "\n".join(
        [
            f"lrfr {__version__}: face recognition that keeps identity at low resolution",
            "",
            "usage: lrfr COMMAND [options]    lrfr COMMAND --help shows a command's options",
            "",
            *lines,
        ]
    )
