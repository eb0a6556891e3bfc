"""Images that cannot be read in the midst of a run."""

import csv
import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import ImageFolder, RecordIO
from lrfr_lightning.datasets.codec import encode_jpeg
from lrfr_lightning.datasets.recordio import write_recordio
from lrfr_lightning.utils.errors import ConfigError, DataError

FLIP = [{"HorizontalFlip": {"p": 0.5}}]
BROKEN = (3, 9, 20)


def break_images(faces: Any, broken: tuple[int, ...] = BROKEN) -> Any:
    """The faces with a damaged image, a read error and an image of another size, in turn."""
    image = faces.image

    def read(index: int) -> Any:
        if index not in broken:
            return image(index)
        kind = broken.index(index) % 3
        if kind == 0:
            raise DataError(f"cannot decode {faces.describe(index)}")
        if kind == 1:
            raise OSError(errno.EIO, "Input/output error")
        return np.zeros((7, 9, 3), np.uint8)

    faces.image = read
    return faces


def module(faces: Any, workers: int = 0, **changes: Any) -> FaceDataModule:
    arguments = {"augmentation": FLIP, "batch_size": 8, "unreadable": 0.1} | changes
    return FaceDataModule(faces, num_workers=workers, **arguments)


def batches(data: FaceDataModule, epoch: int = 0) -> list[Any]:
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)
    return list(loader)


@pytest.mark.filterwarnings("ignore:unreadable image")
def test_another_image_of_the_identity_stands_in(faces: Any) -> None:
    whole = {e: batches(module(faces), e) for e in range(6)}
    break_images(faces)
    made = {e: batches(module(faces), e) for e in whole}
    assert all(torch.equal(a[key], b[key]) for e in (0, 5) for key in ("index", "image")
               for a, b in zip(made[e], batches(module(faces, 2), e), strict=True))  # fmt: skip
    stood_in: dict[int, set[int]] = {index: set() for index in BROKEN}
    for epoch, expected in whole.items():
        for batch, before in zip(made[epoch], expected, strict=True):
            assert "unreadable" not in batch
            assert torch.equal(batch["label"], before["label"])
            assert batch["label"].tolist() == faces.labels[batch["index"]].tolist()
            assert not set(BROKEN) & set(batch["index"].tolist())
            same = batch["index"] == before["index"]
            assert torch.equal(batch["image"][same], before["image"][same])
            for place in torch.nonzero(~same).flatten().tolist():
                stood_in[int(before["index"][place])].add(int(batch["index"][place]))
                # the pixels are those of the image that the batch names
                shown = torch.from_numpy(faces.image(int(batch["index"][place]))).permute(2, 0, 1)
                image = batch["image"][place]
                assert torch.equal(image, shown) or torch.equal(image, shown.flip(2))
    assert all(len(others) > 2 for others in stood_in.values())  # drawn anew in each epoch


@pytest.mark.parametrize("workers", [0, 2])
def test_each_is_counted_named_once_and_listed(
    faces: Any, make_task: Any, make_trainer: Any, tmp_path: Path, caplog: Any, workers: int
) -> None:
    data = module(break_images(faces), workers)
    with pytest.warns(UserWarning, match="unreadable image") as warned:
        make_trainer(max_epochs=2).fit(make_task(), data)
    named = sorted(str(w.message) for w in warned if "unreadable" in str(w.message))
    assert named == [
        "unreadable image: cannot decode drawn face 3",
        "unreadable image: drawn face 20: expected an aligned face of 112x112 px, got 9x7; align "
        "the images first",
        "unreadable image: drawn face 9: [Errno 5] Input/output error",
    ]
    with (tmp_path / "unreadable.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted((int(row["index"]), row["image"]) for row in rows) == [
        (index, f"drawn face {index}") for index in BROKEN
    ]
    assert f"3 of 32 images were unreadable, see {tmp_path}" in caplog.text


@pytest.mark.filterwarnings("ignore:unreadable image")
def test_a_resumed_run_goes_on_with_the_list_and_a_new_one_begins_anew(
    faces: Any, make_task: Any, make_trainer: Any, tmp_path: Path
) -> None:
    first = make_trainer(max_steps=4)
    first.fit(make_task(), module(break_images(faces)))
    first.save_checkpoint(tmp_path / "last.ckpt")
    listed = (tmp_path / "unreadable.csv").read_text()
    assert listed.count("\n") == 4
    data = module(faces)
    make_trainer(max_epochs=2).fit(make_task(), data, ckpt_path=tmp_path / "last.ckpt")
    assert (tmp_path / "unreadable.csv").read_text() == listed
    assert sorted(data.unreadable.found) == list(BROKEN)
    del faces.image
    make_trainer().fit(make_task(), module(faces))
    assert not (tmp_path / "unreadable.csv").exists()


@pytest.mark.filterwarnings("ignore:unreadable image")
def test_an_identity_that_cannot_be_read_gives_way_to_the_next(faces: Any) -> None:
    broken = tuple(range(24, 32))
    for batch in batches(module(break_images(faces, broken), unreadable=0.5)):
        assert batch["label"].tolist() == faces.labels[batch["index"]].tolist()
        assert batch["label"].max() < 3


@pytest.mark.filterwarnings("ignore:unreadable image")
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("share", "found"), [(0.0, 1), (0.07, 3)])
def test_too_many_end_the_run(
    faces: Any, make_task: Any, make_trainer: Any, workers: int, share: float, found: int
) -> None:
    data = module(break_images(faces), workers, unreadable=share, batch_size=2)
    with pytest.raises(DataError, match=rf"{found} of 32 images .* share of {share}: ") as error:
        make_trainer().fit(make_task(), data)
    assert len(str(error.value).splitlines()) == 1
    assert len(data.unreadable.found) == found


@pytest.mark.parametrize("workers", [0, 2])
def test_a_disk_that_is_gone_ends_the_run_at_once(
    faces: Any, make_task: Any, make_trainer: Any, workers: int
) -> None:
    data = module(faces, workers, unreadable=1.0)
    # after the first image was looked at
    setup = data.setup
    data.setup = lambda stage: (setup(stage), break_images(faces, tuple(range(32))))  # type: ignore
    with pytest.raises(DataError, match="and so are the 16 images .*disk still there") as error:
        make_trainer().fit(make_task(), data)
    assert len(str(error.value).splitlines()) == 1


def test_the_first_image_ends_the_run_before_it_begins(faces: Any) -> None:
    with pytest.raises(DataError, match="cannot decode drawn face 0"):
        module(break_images(faces, (0,))).setup("fit")
    with pytest.raises(ConfigError, match=r"unreadable: expected a share of 0..1, got 2"):
        module(faces, unreadable=2.0)


@pytest.mark.filterwarnings("ignore:unreadable image")
def test_what_asks_for_all_images_goes_without_the_unreadable(
    faces: Any, make_task: Any, make_trainer: Any
) -> None:
    broken = (3, *range(8, 16))
    data = module(break_images(faces, broken), unreadable=0.5, batch_size=4)
    seen = torch.cat([batch["index"] for batch in data.predict_dataloader()])
    assert seen.tolist() == [index for index in range(32) if index not in broken]
    task = make_task(place_identities=True)
    before = task.head.classifier.weight.detach().clone()
    trainer = make_trainer(limit_train_batches=0)
    trainer.fit(task, data)
    moved = (task.head.classifier.weight != before).any(dim=1)
    assert moved.tolist() == [True, False, True, True]
    embedding, label = task.embed_training_images(task.backbone)
    assert label.tolist() == [-1 if i in broken else int(faces.labels[i]) for i in range(32)]
    assert (embedding.any(dim=1) == (label >= 0)).all()
    predicted = make_trainer().predict(make_task(), module(faces, unreadable=0.5, batch_size=4))
    assert torch.cat([p["index"] for p in predicted]).tolist() == seen.tolist()


@pytest.mark.filterwarnings("ignore:unreadable image")
@pytest.mark.parametrize("augmentation", [(), FLIP])
def test_files_that_are_cut_short_or_vanish(faces: Any, tmp_path: Path, augmentation: Any) -> None:
    for index, label in enumerate(faces.labels):
        path = tmp_path / "faces" / f"person{label}" / f"{index:02d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(faces.image(index)))
    write_recordio(faces, tmp_path / "rec")
    folder, records = ImageFolder(tmp_path / "faces"), RecordIO(tmp_path / "rec")
    cut = tmp_path / "faces" / "person0" / "05.jpg"
    cut.write_bytes(cut.read_bytes()[:1000])
    (tmp_path / "faces" / "person1" / "12.jpg").unlink()
    with (tmp_path / "rec" / "train.rec").open("r+b") as file:
        file.truncate(int(records._offsets[30]))
    for data, expected in (
        (module(folder, augmentation=augmentation), {5: "ends too early", 12: "No such file"}),
        (module(records, augmentation=augmentation), {30: "the file ends", 31: "the file ends"}),
    ):
        assert len(batches(data)) == 4
        assert sorted(data.unreadable.found) == sorted(expected)
        for index, reason in expected.items():
            assert reason in data.unreadable.found[index]
