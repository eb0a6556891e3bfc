"""From JPEG bytes in memory to batches, on one thread; RecordIO's opening; memory over an epoch."""

import tempfile
from pathlib import Path

import cv2
import torch

from benchmarks.clock import REPEATS, medians
from benchmarks.input_files import FacesInMemory, jpegs, many_records
from benchmarks.input_memory import growth
from benchmarks.input_peers import decoders, timm_loader, usual_way, walk
from benchmarks.memory import peak_mb
from benchmarks.row import Row
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import RecordIO
from lrfr_lightning.functional.sharpness import batch_sharpness
from lrfr_lightning.transforms import CrossResolution, LogUniform, PixelSpec

LIMIT = "bare OpenCV decoding"
TARGETS = {"uint8": 0.75, "float": 0.62, "float and sharpness": 0.50}


def measure(quick: bool) -> list[Row]:
    """All rows."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        images, kind = jpegs(32 if quick else 1024)
        # turns of a tenth of a second: with few, all are over within one slow moment
        speed = _speed(images, 8 if quick else 128, kind, REPEATS * (1 if quick else 3))
    finally:
        torch.set_num_threads(threads)
    return [*speed, _opening(20_000 if quick else 2_000_000), _flat(40 if quick else 2000)]


def _speed(images: list[bytes], size: int, kind: str, repeats: int) -> list[Row]:
    faces, spec = FacesInMemory(images), PixelSpec()
    cross = CrossResolution(LogUniform(6, 32))
    ours = FaceDataModule(faces, cross, batch_size=size, num_workers=0)
    whole = FaceDataModule(faces, None, batch_size=size, num_workers=0)

    def normalised() -> None:
        for batch in ours.train_dataloader():
            spec.normalise(batch["image"])

    def with_sharpness() -> None:
        for batch in ours.train_dataloader():
            batch_sharpness(batch["image"])
            spec.normalise(batch["image"])

    runs = {
        "uint8": lambda: walk(ours.train_dataloader()),
        "float": normalised,
        "float and sharpness": with_sharpness,
        "uint8, nothing degraded": lambda: walk(whole.train_dataloader()),
        "usual": lambda: walk(usual_way(images, size)),
        "timm": lambda: walk(timm_loader(images, size)),
    }
    decode = decoders(images)
    seconds = medians(runs | decode, repeats)
    bare = seconds["OpenCV"]
    rows = [
        Row(f"decode {name}", "speed", seconds[name], LIMIT, bare / seconds[name], note=kind)
        for name in decode
        if name != "OpenCV"
    ]
    for name in list(runs)[:4]:
        ratio, target = bare / seconds[name], TARGETS.get(name)
        rows.append(
            Row(
                f"input: {name} batch{'' if 'nothing' in name else ', half degraded'}",
                "speed",
                seconds[name],
                LIMIT,
                ratio,
                target=f"at least {target} of the limit" if target else "",
                met=ratio >= target if target else None,
                note=kind,
            )
        )
    usual, peer = seconds["usual"] / seconds["float"], seconds["timm"] / seconds["float"]
    name = "input: float batch, half degraded"
    return [
        *rows,
        Row("input: uint8 batch, half degraded", "speed", seconds["uint8"], LIMIT,
            bare / seconds["uint8"], "Pillow + torchvision transforms, half degraded",
            seconds["usual"] / seconds["uint8"],
            note=f"{kind}; the peer's workers normalise, ours leave it to the device"),
        Row(name, "speed", seconds["float"], LIMIT, bare / seconds["float"],
            "Pillow + torchvision transforms, half degraded", usual,
            target="at least 5 times the usual way", met=usual >= 5, note=kind),
        Row(name, "speed", seconds["float"], LIMIT, bare / seconds["float"],
            "timm's loader, nothing degraded", peer, note=kind),
    ]  # fmt: skip


def _opening(count: int) -> Row:
    """A RecordIO of many records, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        many_records(Path(folder), count)
        seconds = medians({"open": lambda: RecordIO(folder)})["open"]
        setup = "from lrfr_lightning.datasets import RecordIO"
        memory = peak_mb(f"faces = RecordIO({folder!r})", setup)
    met = seconds < 2 and memory < 200
    target = "under 2 s and 200 MB"
    return Row(
        f"open a RecordIO of {count:,} records", "seconds", seconds, memory_mb=memory,
        target=target, met=met,
    )  # fmt: skip


def _flat(batches: int) -> Row:
    """Memory of the training process while workers read."""
    first, last = growth(batches, workers=4)
    return Row(
        f"memory of the training process over {batches:,} batches, 4 workers", "memory",
        memory_mb=last, target="within 5 % of the second tenth", met=last <= 1.05 * first,
        note=f"{first:.0f} MB in the second tenth",
    )  # fmt: skip
