"""Protocols at validation time, pictures, statistics, embeddings on disk."""

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lrfr_lightning.callbacks import (
    BatchPreview,
    EmbeddingWriter,
    MarginStatistics,
    ProtocolEvaluation,
)
from lrfr_lightning.callbacks.statistics import statistics
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.embedders import ModuleEmbedder, evaluate
from lrfr_lightning.protocols import (
    EmbeddedIdentification,
    EmbeddedVerification,
    read_results,
    write_results,
)
from lrfr_lightning.transforms import CrossResolution, Listed
from lrfr_lightning.utils.errors import ConfigError


@pytest.fixture
def data(faces: Any) -> FaceDataModule:
    return FaceDataModule(faces, CrossResolution(Listed([14])), (), 8, num_workers=0)


def test_evaluation_is_that_of_the_evaluate_function(
    make_task: Any, make_trainer: Callable[..., pl.Trainer], data: Any, tmp_path: Path,
    protocol: EmbeddedVerification,
) -> None:  # fmt: skip
    task = make_task()
    trainer = make_trainer(callbacks=[ProtocolEvaluation([protocol], "tiny")])
    trainer.fit(task, data)
    expected = evaluate(ModuleEmbedder(task.backbone, "tiny"), protocol)
    write_results(tmp_path / "expected.json", expected)
    written = (tmp_path / "results.json").read_bytes()
    assert written == (tmp_path / "expected.json").read_bytes()
    logged = trainer.callback_metrics["val/embedded@14/accuracy"]
    assert logged == pytest.approx(expected[1].metrics["accuracy"])


def test_evaluation_at_test_time_and_not_in_the_sanity_check(
    make_task: Any, make_trainer: Any, data: Any, tmp_path: Path, protocol: Any
) -> None:
    checked = make_trainer(
        callbacks=[ProtocolEvaluation([protocol])], num_sanity_val_steps=1, limit_val_batches=1,
        max_steps=1, check_val_every_n_epoch=5,
    )  # fmt: skip
    checked.fit(make_task(), data)
    assert not (tmp_path / "results.json").exists()
    trainer = make_trainer(callbacks=[ProtocolEvaluation([protocol])])
    metrics = trainer.test(make_task(), data, verbose=False)[0]
    assert "test/embedded@112/eer" in metrics
    assert (tmp_path / "results.json").exists()


def logged(path: Path, metric: str) -> list[str]:
    """The values of a metric that a CSV logger wrote."""
    with (path / "metrics.csv").open() as file:
        return [row[metric] for row in csv.DictReader(file) if row[metric]]


def test_a_share_at_every_epoch_and_the_whole_at_the_end(
    make_task: Any, make_trainer: Callable[..., pl.Trainer], data: Any, tmp_path: Path
) -> None:
    protocol = EmbeddedIdentification(12, 3, 0.5, resolutions=(112,))
    trainer = make_trainer(
        max_epochs=2, limit_train_batches=1, log_every_n_steps=1,
        logger=CSVLogger(tmp_path, name="csv", version=""),
        callbacks=[ProtocolEvaluation([protocol], subset=0.5)],
    )  # fmt: skip
    trainer.fit(make_task(), data)
    assert len(logged(tmp_path / "csv", "val/embedded-1n~0.5@112/rank1")) == 2
    assert len(logged(tmp_path / "csv", "val/embedded-1n@112/rank1")) == 1
    (written,) = read_results(tmp_path / "csv" / "results.json")
    assert (written.protocol, written.counts["people"]) == ("embedded-1n", 6)


@pytest.mark.parametrize(("epochs", "times"), [(2, 1), (3, 2)])
def test_every_other_epoch_and_the_end(
    make_task: Any, make_trainer: Callable[..., pl.Trainer], data: Any, tmp_path: Path,
    epochs: int, times: int,
) -> None:  # fmt: skip
    protocol = EmbeddedIdentification(12, 3, 0.5, resolutions=(112,))
    trainer = make_trainer(
        max_epochs=epochs, limit_train_batches=1, log_every_n_steps=1,
        logger=CSVLogger(tmp_path, name="csv", version=""),
        callbacks=[ProtocolEvaluation([protocol], every_n_epochs=2)],
    )  # fmt: skip
    trainer.fit(make_task(), data)
    assert len(logged(tmp_path / "csv", "val/embedded-1n@112/rank1")) == times


def test_intervals_and_pictures_can_be_left_out(
    make_task: Any, make_trainer: Any, data: Any, protocol: Any, tmp_path: Path
) -> None:
    callback = ProtocolEvaluation([protocol], subset=0.5, intervals=0, examples=0)
    assert [(part.intervals, part.examples) for part in callback.parts] == [(0, 0)]
    trainer = make_trainer(callbacks=[callback])
    trainer.validate(make_task(), data, verbose=False)
    results = read_results(tmp_path / "results.json")
    assert [(r.intervals, r.examples) for r in results] == [({}, []), ({}, [])]


def test_shares_and_epochs_out_of_range(protocol: Any) -> None:
    with pytest.raises(ConfigError, match="every_n_epochs: expected 1 or more, got 0"):
        ProtocolEvaluation([protocol], every_n_epochs=0)
    with pytest.raises(ConfigError, match="expected a share above 0, up to 1, got 1.5"):
        ProtocolEvaluation([protocol], subset=1.5)


def test_embedding_leaves_the_modes_of_the_network_alone(make_task: Any, protocol: Any) -> None:
    backbone = make_task().backbone.train()
    backbone.bn1.eval()
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    evaluate(ModuleEmbedder(backbone, "m"), protocol)
    assert backbone.training
    assert not backbone.bn1.training
    assert all(torch.equal(before[name], value) for name, value in backbone.state_dict().items())


def test_every_logger_gets_curves_and_pictures(
    make_task: Any, make_trainer: Any, data: Any, tmp_path: Path, protocol: Any
) -> None:
    board = TensorBoardLogger(tmp_path, name="tb", version="")
    trainer = make_trainer(
        logger=[board, CSVLogger(tmp_path, name="csv", version="")], log_every_n_steps=1,
        callbacks=[ProtocolEvaluation([protocol]), BatchPreview(), MarginStatistics()],
    )  # fmt: skip
    trainer.fit(make_task(), data)
    events = EventAccumulator(str(tmp_path / "tb")).Reload()
    names = set(events.Tags()["scalars"])
    assert {"train/loss", "val/embedded@14/accuracy", "train/norm_lr", "train/margin_hr"} <= names
    assert events.Tags()["images"] == ["train/batch"]
    header = (tmp_path / "csv" / "metrics.csv").read_text().splitlines()[0]
    assert "val/embedded@14/tar@far=0.1" in header
    with Image.open(tmp_path / "tb" / "batch.png") as picture:
        assert picture.size == (8 * 112, 112)


def test_statistics_are_what_they_say(make_task: Any) -> None:
    head = make_task().head
    embedding, label = torch.randn(6, 16), torch.tensor([0, 1, 2, 3, 0, 1])
    values = statistics(head, embedding, label, None)
    cosine = head.classifier(embedding)[range(6), label]
    torch.testing.assert_close(values["cosine"], cosine)
    torch.testing.assert_close(values["norm"], embedding.norm(dim=1))
    torch.testing.assert_close(values["margin"], cosine - torch.cos(torch.acos(cosine) + 0.3))


def test_statistics_leave_out_samples_without_a_label(make_task: Any) -> None:
    logged: dict[str, Any] = {}
    head, embedding = make_task().head, torch.randn(4, 16)
    module = SimpleNamespace(head=head, log=logged.__setitem__)
    trainer = SimpleNamespace(global_step=0, log_every_n_steps=1)
    batch = {
        "image": torch.zeros(4, 3, 112, 112, dtype=torch.uint8), "index": torch.arange(4),
        "label": torch.tensor([1, -1, 2, -1]), "resolution": torch.tensor([112, 112, 14, 14]),
    }  # fmt: skip
    MarginStatistics().on_train_batch_end(trainer, module, {"embedding": embedding}, batch, 0)
    norm = embedding.norm(dim=1)
    assert logged["train/norm_hr"] == pytest.approx(norm[0].item())
    assert logged["train/norm_lr"] == pytest.approx(norm[2].item())


def test_predicted_embeddings_are_written_once_each(
    make_task: Any, make_trainer: Any, data: Any, tmp_path: Path, faces: Any
) -> None:
    task = make_task().eval()
    path = tmp_path / "deep" / "embeddings.npz"
    make_trainer(callbacks=[EmbeddingWriter(str(path))]).predict(task, data)
    with np.load(path) as file:
        written = dict(file)
    assert written["index"].tolist() == list(range(32))
    assert written["label"].tolist() == faces.labels.tolist()
    image = torch.from_numpy(faces.image(5)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        np.testing.assert_allclose(written["embedding"][5], task(image)[0], atol=1e-5)


def test_images_that_padding_repeats_are_written_once(
    make_task: Any, make_trainer: Any, tmp_path: Path
) -> None:
    writer, trainer = EmbeddingWriter(str(tmp_path / "e.npz")), make_trainer()
    for indices in ([2, 0], [1, 2]):
        index = torch.tensor(indices)
        outputs = {"embedding": index[:, None] * 10.0, "label": index, "index": index}
        writer.on_predict_batch_end(trainer, make_task(), outputs, None, 0)
    writer.on_predict_epoch_end(trainer, make_task())
    with np.load(tmp_path / "e.npz") as written:
        assert written["index"].tolist() == [0, 1, 2]
        assert written["embedding"].ravel().tolist() == [0.0, 10.0, 20.0]
