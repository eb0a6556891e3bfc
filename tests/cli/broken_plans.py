"""Plans of ``lrfr fit`` with one thing wrong each, and what the page says of it.

``python tests/cli/broken_plans.py`` gives each of them to ``lrfr fit --dry-run`` in a process of
its own and prints the table of docs/faults.md.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save_file

from lrfr_lightning.backbones import IResNet, MobileFaceNet
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.convert import convert
from lrfr_lightning.datasets.embedded import verification_pairs, write_lfw_layout
from lrfr_lightning.heads import ArcFace, MarginHead
from lrfr_lightning.tasks import RecognitionTask

SOUND = """
trainer:
  accelerator: cpu
  precision: 32-true
  max_epochs: 2
  enable_progress_bar: false
  logger: false
  default_root_dir: run
  callbacks:
    - class_path: lrfr_lightning.callbacks.ProtocolEvaluation
      init_args:
        intervals: 0
        examples: 0
        protocols:
          - class_path: lrfr_lightning.protocols.LFWVerification
            init_args: {root: lfw, resolutions: [112, 14]}
    - class_path: ModelCheckpoint
      init_args: {dirpath: run, monitor: val/lfw@14/accuracy, mode: max}
model:
  class_path: lrfr_lightning.tasks.RecognitionTask
  init_args:
    backbone:
      class_path: lrfr_lightning.backbones.IResNet
      init_args: {depth: 18, embedding_dim: 16, width: 4}
    pretrained: weights.safetensors
    head:
      class_path: lrfr_lightning.heads.MarginHead
      init_args: {margin: {class_path: lrfr_lightning.heads.ArcFace}}
    optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.01, momentum: 0.9}}
    lr_scheduler: {class_path: lrfr_lightning.tasks.WarmupCosine}
data:
  dataset:
    class_path: lrfr_lightning.datasets.ImageFolder
    init_args: {root: faces}
  batch_size: 4
  num_workers: 0
"""

Change = Callable[[dict[str, Any]], None]
BROKEN: dict[str, tuple[Change, str, str]] = {}
"""By what is wrong: how a sound plan is broken, the state, and a pattern of what the page says."""


def prepare() -> None:
    """Data, weights and protocol of the sound plan, in the working folder."""
    convert(EmbeddedFaces(5, 4), "faces", "folder")
    write_lfw_layout(EmbeddedFaces(20, 2, "test"), "lfw", verification_pairs(20, 2, 2))
    save_file(network().state_dict(), "weights.safetensors")


def network() -> IResNet:
    return IResNet(depth=18, embedding_dim=16, width=4)


def checkpoint(identities: int, **content: Any) -> None:
    """What ``lrfr fit`` would save of the plan, as far as it is looked at."""
    head = partial(MarginHead, margin=ArcFace())
    task = RecognitionTask(network(), head, identities)
    torch.save({"state_dict": task.state_dict(), "global_step": 3, "epoch": 0} | content, "c.ckpt")


def put(config: dict[str, Any], path: str, value: Any) -> None:
    """Set one key, however deep."""
    *above, last = path.split(".")
    for key in above:
        config = config[int(key)] if isinstance(config, list) else config[key]
    config[last] = value


def wrong(what: str, says: str, state: str = "fault") -> Callable[[Change], Change]:
    """Enter a change into ``BROKEN``."""

    def entered(change: Change) -> Change:
        BROKEN[what] = change, state, says
        return change

    return entered


def wrong_value(what: str, path: str, value: Any, says: str, state: str = "fault") -> None:
    """A plan that is broken by one value."""
    wrong(what, says, state)(lambda config: put(config, path, value))


ROOT = "data.dataset.init_args.root"
wrong_value("data folder missing", ROOT, "nowhere", "folder of images not found.*nowhere")
wrong_value("environment variable unset", ROOT, "${NOT_SET}/faces", "NOT_SET, which is not set")
wrong_value("batch larger than the data", "data.batch_size", 64, "expected 1..20 .*got 64")
wrong_value("batch does not fill the ranks", "trainer.devices", 6, "each of 6 ranks.*got 4")
wrong_value("misspelt key", "data.batchsize", 4, "batchsize")
wrong_value("unknown class", "model.class_path", "lrfr_lightning.tasks.NoTask", "NoTask")
wrong_value("negative margin", "model.init_args.head.init_args.margin.init_args",
            {"margin": -0.5}, "ArcFace margin: expected .*-0.5")  # fmt: skip
wrong_value("negative learning rate", "model.init_args.optimizer.init_args.lr", -1,
            "learning rate.*-1")  # fmt: skip
wrong_value("weights file missing", "model.init_args.pretrained", "no.safetensors",
            "weights file not found.*no.safetensors")  # fmt: skip
wrong_value("protocol folder missing", "trainer.callbacks.0.init_args.protocols.0.init_args.root",
            "nowhere", "LFW root not found.*nowhere")  # fmt: skip
wrong_value("metric that is not measured", "trainer.callbacks.1.init_args.monitor",
            "val/lfw@7/accuracy", "waits for 'val/lfw@7/.*', expected .*val/lfw@112/")  # fmt: skip
wrong_value("lr_base_batch of nothing", "model.init_args.lr_base_batch", 0, "at least 1 image")
wrong_value("learning rate without a rule", "trainer.accumulate_grad_batches", 2,
            "0.01 for 8 images in a step.*lr_base_batch", "doubt")  # fmt: skip
wrong_value("schedule of another length", "model.init_args.lr_scheduler.init_args",
            {"total_steps": 99}, "made for 99 steps, the run has 10", "doubt")  # fmt: skip
wrong_value(
    "no such accelerator", "trainer.accelerator", "abacus", "trainer: .*invalid accelerator"
)
wrong_value(
    "16-mixed on a CPU", "trainer.precision", "16-mixed", "16-mixed is not for cpu", "doubt"
)
wrong_value("no end", "trainer.max_epochs", -1, "the run has no end", "doubt")
wrong_value(
    "nothing is measured", "trainer.limit_val_batches", 0, "limit_val_batches is 0", "doubt"
)


@wrong("too few images of each person", "at least 8 images each, got 0 such identities")
def _(config: dict[str, Any]) -> None:
    config["data"] |= {"batch_size": 8, "images_per_identity": 8}


@wrong("no such device", "trainer: .*(gpu|GPU)")
def _(config: dict[str, Any]) -> None:
    config["trainer"] |= {"accelerator": "gpu", "devices": [99]}


@wrong("data folder empty", "expected a folder per identity")
def _(config: dict[str, Any]) -> None:
    Path("empty").mkdir()
    put(config, ROOT, "empty")


@wrong("image that is not aligned", "expected an aligned face of 112x112 px, got 64x112")
def _(config: dict[str, Any]) -> None:
    first = min(Path("faces").glob("*/*.jpg"))
    first.write_bytes(encode_jpeg(EmbeddedFaces(5, 4).image(0)[:, :64]))


@wrong("first image unreadable", "not a|cannot|decode")
def _(config: dict[str, Any]) -> None:
    min(Path("faces").glob("*/*.jpg")).write_bytes(b"no image")


@wrong("weights of another network", r"weights.safetensors does not fit IResNet: \d+ missing")
def _(config: dict[str, Any]) -> None:
    save_file(MobileFaceNet().state_dict(), "weights.safetensors")


@wrong("weights that are damaged", "weights.safetensors cannot be read as weights")
def _(config: dict[str, Any]) -> None:
    whole = Path("weights.safetensors").read_bytes()
    Path("weights.safetensors").write_bytes(whole[: len(whole) // 2])


@wrong("checkpoint of another class count", "trained on 9 identities, the data has 5")
def _(config: dict[str, Any]) -> None:
    checkpoint(9, optimizer_states=[])
    config["ckpt_path"] = "c.ckpt"


@wrong("checkpoint of weights alone", "holds weights alone")
def _(config: dict[str, Any]) -> None:
    checkpoint(5)
    config["ckpt_path"] = "c.ckpt"


@wrong("checkpoint of a finished run", "after 10 steps.*nothing is left to train", "doubt")
def _(config: dict[str, Any]) -> None:
    checkpoint(5, optimizer_states=[], global_step=10)
    config["ckpt_path"] = "c.ckpt"


@wrong("checkpoint that is none", "c.ckpt: expected a training checkpoint")
def _(config: dict[str, Any]) -> None:
    Path("c.ckpt").write_text("no checkpoint")
    config["ckpt_path"] = "c.ckpt"


@wrong("pairs list broken", "pairs.txt, line 3: expected 'name<TAB>i<TAB>j'")
def _(config: dict[str, Any]) -> None:
    lines = Path("lfw/pairs.txt").read_text().splitlines()
    Path("lfw/pairs.txt").write_text("\n".join([*lines[:2], "nobody", *lines[3:]]))


@wrong("people trained on and measured", "lfw: 20 of its 20 people are trained on", "doubt")
def _(config: dict[str, Any]) -> None:
    put(config, ROOT, "lfw/images")


@wrong("disk too small", r"checkpoints take about [\d.e+]+ GB .* are free")
def _(config: dict[str, Any]) -> None:
    put(config, "trainer.max_epochs", 10**10)
    put(config, "trainer.callbacks.1.init_args.save_top_k", -1)


@wrong("output folder cannot be written", "expected a folder to write to at .*file/run")
def _(config: dict[str, Any]) -> None:
    Path("file").write_text("a file, not a folder")
    put(config, "trainer.callbacks.1.init_args.dirpath", "file/run")


@wrong("more processes than cores", r"processes share \d+ cores", "doubt")
def _(config: dict[str, Any]) -> None:
    put(config, "data.batch_size", 1)
    put(config, "trainer.devices", 1 + (os.cpu_count() or 1))


def write(what: str | None = None) -> str:
    """Write the sound plan, or a broken one, beside what :func:`prepare` wrote; the file's name."""
    config = yaml.safe_load(SOUND)
    if what:
        BROKEN[what][0](config)
    Path("plan.yaml").write_text(yaml.safe_dump(config))
    return "plan.yaml"


def cpu_seconds() -> float:
    """What the processes that ended took of a core: what else runs does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table() -> None:
    """Print how each plan ends in a process of its own, and what that takes."""
    code = "from lrfr_lightning.cli.main import console; console()"
    print("| what is wrong | state | exit code | s of a core |\n|---|---|--:|--:|")
    for what, (_, state, says) in BROKEN.items():
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            prepare()
            command = [sys.executable, "-c", code, "fit", "--config", write(what), "--dry-run"]
            before = cpu_seconds()
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            seconds = cpu_seconds() - before
            os.chdir("/")
        said = " ".join((done.stdout + done.stderr).split())
        assert re.search(says, said), f"{what}: {said}"
        print(f"| {what} | {state} | {done.returncode} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    table()
