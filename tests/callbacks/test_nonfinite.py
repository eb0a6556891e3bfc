"""NaN and Inf in the midst of training."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins import MixedPrecision

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.callbacks import NonFiniteGuard
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datamodules.replayed import ReplayedFaces
from lrfr_lightning.heads import AdaFace, ArcFace, MarginHead
from lrfr_lightning.tasks import RecognitionTask, WarmupCosine
from lrfr_lightning.transforms import CrossResolution, Listed
from lrfr_lightning.utils.errors import ConfigError

pytestmark = [
    pytest.mark.filterwarnings("ignore:step .* not finite, see"),
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`"),
    pytest.mark.filterwarnings("ignore:The dirpath has changed"),
    # of a first step that fp16 leaves out
    pytest.mark.filterwarnings("ignore:Detected call of"),
]
SGD = partial(torch.optim.SGD, lr=0.01, momentum=0.9, weight_decay=1e-3)


class Poisoned(RecognitionTask):
    """Its images are infinite in some batches, and so are loss, gradients and BatchNorm then."""

    bad: tuple[int, ...] = ()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        bad = self.trainer.fit_loop.total_batch_idx in self.bad
        return super().forward(image * float("inf") if bad else image)


class BadGradients(pl.Callback):
    """One gradient is infinite in some batches; the loss is not."""

    def __init__(self, *bad: int) -> None:
        self.bad = bad

    def on_after_backward(self, trainer, pl_module):  # type: ignore
        if trainer.fit_loop.total_batch_idx in self.bad:
            next(pl_module.backbone.parameters()).grad.view(-1)[3] = float("inf")


class States(pl.Callback):
    """Weights, statistics, optimiser and learning rate before each batch; the images of it."""

    def __init__(self) -> None:
        self.before: list[Any] = []
        self.rates: list[float] = []
        self.batches: list[Any] = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):  # type: ignore
        optimizer = trainer.optimizers[0]
        state = [*pl_module.state_dict().values(), *optimizer.state_dict()["state"].values()]
        self.before.append(torch.utils._pytree.tree_map(_copy, state))
        self.rates.append(optimizer.param_groups[0]["lr"])
        self.batches.append({key: value.clone() for key, value in batch.items()})


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def same(one: Any, two: Any) -> bool:
    try:
        torch.testing.assert_close(one, two, rtol=0, atol=0)
    except AssertionError:
        return False
    return True


def data(faces: Any, workers: int = 0) -> FaceDataModule:
    views = CrossResolution(Listed([7, 14]))
    return FaceDataModule(faces, views, [{"HorizontalFlip": {"p": 0.5}}], 8, workers, seed=4)


def task(bad: tuple[int, ...] = (), optimizer: Any = SGD, margin: Any = None) -> Poisoned:
    torch.manual_seed(3)
    made = Poisoned(
        IResNet(depth=18, embedding_dim=16, width=4, dropout=0.4),
        partial(MarginHead, margin=margin or AdaFace(scale=16)),
        4,
        optimizer,
        WarmupCosine,
    )
    made.bad = bad
    return made


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("optimizer", [SGD, partial(torch.optim.AdamW, lr=1e-3)])
def test_a_step_is_left_out_as_if_it_had_not_been(
    faces: Any, make_trainer: Any, tmp_path: Path, optimizer: Any, workers: int
) -> None:
    clean, seen, guard = States(), States(), NonFiniteGuard()
    make_trainer(callbacks=[clean]).fit(task((), optimizer), data(faces))
    made = task((2,), optimizer)
    trainer = make_trainer(callbacks=[guard, seen], gradient_clip_val=1e9)
    with pytest.warns(UserWarning, match="step 2: loss or gradients are not finite.*left out"):
        trainer.fit(made, data(faces, workers))
    assert same(seen.before[:3], clean.before[:3])
    assert same(seen.before[3], seen.before[2])
    assert not same(seen.before[2], seen.before[1])
    assert all(v.isfinite().all() for v in made.state_dict().values() if torch.is_tensor(v))
    assert seen.rates == clean.rates
    assert trainer.global_step == 4
    assert guard.left_out == 1
    record = json.loads((tmp_path / "nonfinite-step2-rank0.json").read_text())
    batch = seen.batches[2]
    entry = record["batches"][0]
    assert entry["index"] == batch["index"].tolist()
    assert entry["resolution"] == batch["resolution"].tolist()
    assert entry["embedding_norm"] == ["nan"] * 8
    assert (entry["loss"], record["gradient_norm"]) == ("nan", "nan")
    assert record["learning_rate"] == [seen.rates[2]]
    assert (record["epoch"], record["step"], record["seed"], record["data_seed"]) == (0, 2, 3, 4)
    again = ReplayedFaces(faces, CrossResolution(Listed([7, 14])),
                          [{"HorizontalFlip": {"p": 0.5}}], 8, 0, seed=4)  # fmt: skip
    made_again = again.again(0, entry["index"], entry["label"], entry["resolution"])
    assert torch.equal(made_again["image"], batch["image"])


def test_gradients_alone_are_looked_at(faces: Any, make_trainer: Any, tmp_path: Path) -> None:
    guard, seen, made = NonFiniteGuard(), States(), task()
    callbacks = [guard, BadGradients(1), seen]
    make_trainer(callbacks=callbacks).fit(made, data(faces))
    assert same(seen.before[2], seen.before[1])
    assert not same(seen.before[3], seen.before[2])
    record = json.loads((tmp_path / "nonfinite-step1-rank0.json").read_text())
    assert record["gradient_norm"] == "inf"
    assert isinstance(record["batches"][0]["loss"], float)


def test_all_batches_of_an_accumulated_step_are_written_down(
    faces: Any, make_trainer: Any, tmp_path: Path
) -> None:
    seen, made = States(), task((0,))
    trainer = make_trainer(
        callbacks=[NonFiniteGuard(), seen], accumulate_grad_batches=2, max_epochs=2
    )
    trainer.fit(made, data(faces))
    assert trainer.global_step == 4
    assert same(seen.before[2], seen.before[0])
    record = json.loads((tmp_path / "nonfinite-step0-rank0.json").read_text())
    assert [b["index"] for b in record["batches"]] == [
        batch["index"].tolist() for batch in seen.batches[:2]
    ]
    assert record["batches"][0]["loss"] == "nan"
    assert 0 < record["batches"][1]["loss"] < 100
    assert record["first_batch"] == 0


@pytest.mark.parametrize(
    ("policy", "most", "steps"), [("stop", 10, 2), ("skip", 2, 4), ("lower", 0, 2)]
)
def test_a_run_that_goes_wrong_ends_and_keeps_its_last_checkpoint(
    faces: Any, make_trainer: Any, tmp_path: Path, policy: Any, most: int, steps: int
) -> None:
    made = task(tuple(range(2, 100)))
    guard = NonFiniteGuard(policy, most)
    saved = ModelCheckpoint(tmp_path, "{step}", every_n_train_steps=1, save_top_k=-1)
    trainer = make_trainer(callbacks=[saved, guard], enable_checkpointing=True, max_epochs=3)
    with pytest.raises(ConfigError, match=rf"step {steps}: .*{policy}, {most % 10 + 1} in a"):
        trainer.fit(made, data(faces))
    assert trainer.global_step == steps + 1
    assert guard.left_out == len(list(tmp_path.glob("nonfinite*"))) == steps - 1
    last = torch.load(tmp_path / f"step={steps}.ckpt", weights_only=True)["state_dict"]
    assert not (tmp_path / f"step={steps + 1}.ckpt").exists()
    assert all(v.isfinite().all() for v in last.values() if torch.is_tensor(v))


def test_few_in_a_row_do_not_end_it(faces: Any, make_trainer: Any, caplog: Any) -> None:
    guard = NonFiniteGuard(most_in_a_row=1)
    make_trainer(callbacks=[guard], max_epochs=2).fit(task((1, 3, 5)), data(faces))
    assert guard.left_out == 3
    assert "3 steps were not finite and were left out" in caplog.text
    with pytest.raises(ConfigError, match="most_in_a_row: expected 0 or more, got -1"):
        NonFiniteGuard(most_in_a_row=-1)


def test_a_resumed_run_leaves_out_the_same_steps(
    faces: Any, make_trainer: Any, tmp_path: Path
) -> None:
    def fit(start: Path | None = None) -> tuple[Any, Any]:
        saved = ModelCheckpoint(
            tmp_path / str(start is None), "{step}", every_n_train_steps=1, save_top_k=-1
        )
        made, seen = task((2, 5)), States()
        trainer = make_trainer(
            callbacks=[NonFiniteGuard(), saved, seen], enable_checkpointing=True, max_epochs=2
        )
        trainer.fit(made, data(faces), ckpt_path=start)
        return made.state_dict(), trainer.optimizers[0].state_dict()

    whole = fit()
    for step in (2, 3, 6):
        assert same(fit(tmp_path / "True" / f"step={step}.ckpt"), whole), step


@pytest.mark.parametrize(
    ("policy", "bad", "gradients", "scale", "left_out"),
    [
        ("skip", (), (1,), 2.0**9, 0),
        ("skip", (1,), (), 2.0**10, 1),
        ("lower", (1,), (), 2.0**9, 1),
        ("skip", (), (0, 1, 2, 3), 2.0**6, 0),
    ],
)
def test_fp16_tells_its_scale_from_a_fault(
    faces: Any, make_trainer: Any, policy: Any, bad: Any, gradients: Any, scale: Any, left_out: int
) -> None:
    guard = NonFiniteGuard(policy)
    precision = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=2.0**10))
    trainer = make_trainer(callbacks=[guard, BadGradients(*gradients)], plugins=[precision])
    made = task(bad, margin=ArcFace(scale=16))
    trainer.fit(made, data(faces))
    assert (guard.left_out, guard.overflows) == (left_out, len(gradients))
    assert precision.scaler.get_scale() == scale
    assert all(v.isfinite().all() for v in made.state_dict().values() if torch.is_tensor(v))


def test_gradients_that_overflow_at_any_scale_are_a_fault(faces: Any, make_trainer: Any) -> None:
    guard = NonFiniteGuard("stop")
    precision = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=4.0))
    trainer = make_trainer(
        callbacks=[guard, BadGradients(*range(4))], plugins=[precision], max_epochs=1
    )
    with pytest.raises(ConfigError, match="step 2: "):
        trainer.fit(task(margin=ArcFace(scale=16)), data(faces))
    assert guard.overflows == 2
