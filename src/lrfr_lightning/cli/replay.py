"""``lrfr replay``: the batches of an optimiser step that was not finite, made again and shown."""

import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from jsonargparse import ArgumentParser
from PIL import Image as PillowImage

from lrfr_lightning.callbacks.faulty_step import FaultyStep, read_step
from lrfr_lightning.callbacks.preview import batch_grid
from lrfr_lightning.cli.recognition_options import output_path
from lrfr_lightning.cli.replay_step import Replay, ReplayCLI
from lrfr_lightning.datamodules.replayed import ReplayedFaces
from lrfr_lightning.reports.terminal import plain
from lrfr_lightning.utils.paths import existing, whole_file

_SHOWN = 8
"""Images with the largest embeddings that are named."""


def run(args: list[str]) -> Replay:
    """Make the step again, print what it did, write its images; returns what it did."""
    parser = ArgumentParser(
        prog="lrfr replay",
        description="Make the batch of a step that was not finite again: loss, norms, images.",
    )
    parser.add_argument("record", type=str, help="nonfinite-step*.json, as NonFiniteGuard wrote it")
    parser.add_argument("--config", type=str, required=True, help="YAML of the run")
    parser.add_argument(
        "--ckpt_path",
        type=str,
        help="checkpoint whose weights are taken, best the last one before the step; without it "
        "those that training begins with",
    )
    parser.add_argument("--output", type=str, default="replay.png", help="the images, PNG")
    options = parser.parse_args(args[1:])
    record = read_step(options.record)
    output = output_path(options.output, (".png",))
    checkpoint = options.ckpt_path and existing(options.ckpt_path, "checkpoint")
    cli = ReplayCLI(record, existing(options.config, "YAML of the run"), checkpoint)
    _print_step(record, cli.replay)
    _print_layers(cli.replay)
    _print_images(cli.datamodule, record, cli.replay)
    _draw(cli.replay, output)
    print(f"images: {output}")
    return cli.replay


def _print_step(record: FaultyStep, replay: Replay) -> None:
    print(f"step {record.step}, epoch {record.epoch}, rank {record.rank} of {record.world}")
    recorded = [plain(str(batch.loss)) for batch in record.batches]
    for number, (then, now) in enumerate(zip(recorded, replay.loss, strict=True)):
        print(f"loss of batch {number}: recorded {then}, now {now:.6g}")
    total = math.hypot(*replay.gradient_norm.values())
    print(f"gradient norm: recorded {plain(str(record.gradient_norm))}, now {total:.6g}")
    print(f"first output of the forward pass that is not finite: {replay.first_bad or 'none'}")


def _print_layers(replay: Replay) -> None:
    """Norms of each module's own parameters, in the order of the network."""
    layers: defaultdict[str, list[str]] = defaultdict(list)
    for name in replay.gradient_norm:
        layers[name.rpartition(".")[0]].append(name)
    width = max(map(len, layers), default=0)
    print(f"{'layer':<{width}}  {'weights':>10}  {'gradient':>10}")
    for layer, names in layers.items():
        weights, gradient = (
            math.hypot(*(norms[name] for name in names))
            for norms in (replay.parameter_norm, replay.gradient_norm)
        )
        print(f"{layer:<{width}}  {weights:>10.4g}  {gradient:>10.4g}")


def _print_images(data: ReplayedFaces, record: FaultyStep, replay: Replay) -> None:
    """The images with the largest embeddings, those that are not finite first."""
    print("images with the largest embeddings:")
    for batch, norms in zip(record.batches, replay.embedding_norm, strict=False):
        for place in np.argsort(norms)[::-1][:_SHOWN]:
            image = int(place) % len(batch.index)  # pairs of views: the second half are the copies
            name = plain(data.dataset.describe(batch.index[image]))
            print(f"{norms[place]:>10.4g}  {batch.resolution[image]:>3} px  {name}")


def _draw(replay: Replay, output: Path) -> None:
    grids = [batch_grid(batch, 2 * len(batch["index"])) for batch in replay.batches]
    with whole_file(output) as partial:
        PillowImage.fromarray(np.vstack(grids)).save(partial, "PNG")
