"""A full disk, a limit on the length of files: what was there stays, the error says where."""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.callbacks import BatchPreview
from lrfr_lightning.cli.main import main
from lrfr_lightning.cli.plan import CHECKS
from lrfr_lightning.datasets import ImageFolder
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.convert import convert
from lrfr_lightning.datasets.streamed import write_streamed
from lrfr_lightning.embedders import ModuleEmbedder
from lrfr_lightning.export import describe_model, export_model
from lrfr_lightning.protocols.result import write_results
from lrfr_lightning.utils.disk import mount_point
from lrfr_lightning.utils.errors import DiskError
from lrfr_lightning.utils.paths import whole_file

MB = 1_000_000


@contextmanager
def longest_file(length: int) -> Iterator[None]:
    """``ulimit -f`` for the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def write_with_numpy(path: Path) -> None:
    with open(path, "wb") as file:
        np.save(file, np.ones(MB))


def write_with_pillow(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, "PNG")


WRITERS: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda path: path.write_bytes(bytes(8 * MB)),
    "text": lambda path: path.write_text("a" * 8 * MB),
    "numpy": write_with_numpy,
    "pillow": write_with_pillow,
    "torch": lambda path: torch.save(torch.ones(2 * MB), path),
    "safetensors": lambda path: save_file({"a": torch.ones(2 * MB)}, path),
}


def write(path: Path, writer: str) -> None:
    with whole_file(path) as unfinished:
        WRITERS[writer](unfinished)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_too_long_leaves_the_old_one(writer: str, tmp_path: Path) -> None:
    path = tmp_path / "a.file"
    path.write_text("old")
    with (
        longest_file(MB),
        pytest.raises(DiskError, match=r"a\.file: .*ulimit -f.*failed after"),
    ):
        write(path, writer)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.file"]
    write(path, writer)
    assert path.stat().st_size > MB


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_is_named(writer: str, small_disk: Path) -> None:
    path = small_disk / "folder" / "a.file"
    with pytest.raises(DiskError, match=f"the disk is full; disk {small_disk}, 3.1 MB free"):
        write(path, writer)
    assert os.listdir(path.parent) == []


def test_an_export_too_long_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_text("old")
    model = ModuleEmbedder(IResNet(18, 128, width=8), "small")
    metadata = describe_model(model.backbone, "small")
    with longest_file(MB), pytest.raises(DiskError, match=f"cannot write {path}: .*ulimit -f"):
        export_model(model, path, "safetensors", metadata, [])
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.safetensors"]


FORMS: dict[str, Callable[..., Any]] = {
    "recordio": partial(convert, form="recordio"),
    "parquet": partial(convert, form="parquet"),
    "folder": partial(convert, form="folder"),
    "streamed": write_streamed,
}


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A data set of 5 MB, no face in it."""
    noise = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    (tmp_path / "large" / "a").mkdir(parents=True)
    for number in range(250):
        (tmp_path / "large" / "a" / f"{number}.jpg").write_bytes(encode_jpeg(noise))
    return tmp_path / "large"


@pytest.mark.parametrize("form", FORMS)
def test_a_conversion_names_the_full_disk(form: str, large: Path, small_disk: Path) -> None:
    faces = ImageFolder(large)
    with pytest.raises(DiskError, match=f"{small_disk}/faces: the disk is full; disk {small_disk}"):
        FORMS[form](faces, small_disk / "faces")
    assert os.listdir(small_disk) == []


def test_a_command_that_converts_names_the_disk(large: Path, small_disk: Path) -> None:
    arguments = ["data", "convert", str(large), str(small_disk / "a")]
    with pytest.raises(SystemExit, match=f"lrfr data: cannot write {small_disk}/a: the disk is"):
        main([*arguments, "--form", "recordio"])
    assert os.listdir(small_disk) == []


def test_a_figure_too_long_keeps_the_last_one(large: Path, tmp_path: Path) -> None:
    figure = tmp_path / "sharpness.png"
    figure.write_text("old")
    arguments = ["sharpness", str(large / "a" / "0.jpg"), "--output", str(figure)]
    with longest_file(1000), pytest.raises(SystemExit, match=f"cannot write {figure}: .*ulimit"):
        main(arguments)
    assert figure.read_text() == "old"
    main(arguments)
    assert figure.stat().st_size > 1000


def test_a_preview_too_long_keeps_the_last_one(tmp_path: Path) -> None:
    picture = tmp_path / "batch.png"
    picture.write_text("old")
    trainer = Mock(log_dir=str(tmp_path), is_global_zero=True, loggers=[])
    faces = torch.randint(256, (2, 3, 112, 112), dtype=torch.uint8)
    batch = {"image": faces, "label": torch.arange(2), "resolution": torch.full((2,), 14)}
    with longest_file(1000), pytest.raises(DiskError, match=f"cannot write {picture}: .*ulimit"):
        BatchPreview().on_train_batch_start(trainer, Mock(), batch, 0)
    assert picture.read_text() == "old"
    BatchPreview().on_train_batch_start(trainer, Mock(), batch, 0)
    assert picture.stat().st_size > 1000


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a"):
        (tmp_path / "missing").read_text()
    with pytest.raises(RuntimeError, match="Parent directory"), whole_file(tmp_path / "a"):
        torch.save(torch.ones(1), tmp_path / "missing" / "a")
    assert os.listdir(tmp_path) == []


def test_the_disk_of_a_path() -> None:
    assert mount_point(Path("/proc/no/such/file")) == Path("/proc")


def settings(folder: Path, steps: int) -> list[str]:
    """``lrfr fit``: a checkpoint of 2 MB after every step, always under the same name."""
    checkpoint = {"dirpath": str(folder), "filename": "last", "every_n_train_steps": 1,
                  "enable_version_counter": False}  # fmt: skip
    model = {"class_path": "lrfr_lightning.tasks.RecognitionTask", "init_args": {
        "backbone": {"class_path": "lrfr_lightning.backbones.IResNet",
                     "init_args": {"depth": 18, "embedding_dim": 128, "width": 4}},
        "head": {"class_path": "lrfr_lightning.heads.MarginHead",
                 "init_args": {"margin": {"class_path": "lrfr_lightning.heads.ArcFace"}}},
        "optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1, "momentum": 0.9}},
    }}  # fmt: skip
    trainer = {"accelerator": "cpu", "devices": 1, "max_epochs": -1, "max_steps": steps,
               "logger": False, "enable_progress_bar": False, "enable_model_summary": False,
               "limit_val_batches": 0, "default_root_dir": str(folder.parent / "root"),
               "callbacks": [{"class_path": "ModelCheckpoint",
                              "init_args": checkpoint}]}  # fmt: skip
    faces = {"class_path": "lrfr_lightning.datasets.EmbeddedFaces",
             "init_args": {"identities": 4, "images_per_identity": 2}}  # fmt: skip
    content = {"trainer": trainer, "model": model,
               "data": {"dataset": faces, "batch_size": 2, "num_workers": 0}}  # fmt: skip
    config = folder.parent / "run.yaml"
    config.write_text(yaml.safe_dump(content))
    return ["fit", "--config", str(config), "--ckpt_path", "last"]


def step_of(folder: Path) -> int:
    """Of the checkpoint, which has to be alone there and readable."""
    assert os.listdir(folder) == ["last.ckpt"]
    return int(torch.load(folder / "last.ckpt", weights_only=True)["global_step"])


@pytest.mark.filterwarnings("ignore:.*there is no last checkpoint available")
def test_a_checkpoint_too_long_keeps_the_last_good_one(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    main(settings(folder, steps=1))
    size = (folder / "last.ckpt").stat().st_size
    with longest_file(size // 2), pytest.raises(SystemExit) as stopped:
        main(settings(folder, steps=3))
    message = str(stopped.value)
    assert message.startswith(f"lrfr fit: cannot write {folder / 'last.ckpt'}: ")
    assert "ulimit -f" in message
    assert "of 2.0 MB" in message  # the tensors; the file is a little longer
    assert step_of(folder) == 1
    main(settings(folder, steps=3))
    assert step_of(folder) == 3


@pytest.mark.filterwarnings("ignore:.*there is no last checkpoint available")
def test_a_full_disk_keeps_the_last_good_checkpoint(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_disk / "checkpoints"
    # in the small disk: one checkpoint, and not a second beside it, which the plan knows
    with pytest.raises(SystemExit, match="disk: checkpoints take about .* are free"):
        main(settings(folder, steps=3))
    monkeypatch.delitem(CHECKS, "disk")  # as if others had filled it later
    with pytest.raises(SystemExit, match=f"cannot write .*disk is full; disk {small_disk}, "):
        main(settings(folder, steps=3))
    assert step_of(folder) == 1


def test_a_full_disk_keeps_the_last_report(full: Any, small_disk: Path, tmp_path: Path) -> None:
    write_results(tmp_path / "results.json", full[:1])
    main(["report", str(tmp_path / "results.json"), "--output", str(small_disk)])
    before = {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()}
    filler = small_disk / "filler"
    with pytest.raises(OSError), filler.open("wb") as file:
        file.write(bytes(4 * MB))
    with pytest.raises(SystemExit, match=f"lrfr report: cannot write .* disk {small_disk}, "):
        main(["report", str(tmp_path / "results.json"), "--output", str(small_disk)])
    filler.unlink()
    assert {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()} == before


def test_a_report_too_long_keeps_the_last_one(full: Any, tmp_path: Path) -> None:
    write_results(tmp_path / "results.json", full[:1])
    arguments = ["report", str(tmp_path / "results.json"), "--output", str(tmp_path / "report")]
    main(arguments)
    page = (tmp_path / "report" / "report.html").read_bytes()
    with (
        longest_file(len(page) - 1),
        pytest.raises(SystemExit, match="lrfr report: cannot write .*ulimit"),
    ):
        main(arguments)
    assert (tmp_path / "report" / "report.html").read_bytes() == page
    assert not list(tmp_path.rglob("*.partial"))
