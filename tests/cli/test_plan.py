"""``lrfr fit --dry-run``: what is wrong with a plan is said before it is trained."""

import json
import os
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import broken_plans
import pytest
import torch
import yaml

from lrfr_lightning.cli.main import main
from lrfr_lightning.cli.plan import CHECKS, Run, look
from lrfr_lightning.cli.plan.machine import checkpoint_bytes
from lrfr_lightning.datamodules import FaceDataModule


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sound plan reads."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        broken_plans.prepare()
    return folder


@pytest.fixture(autouse=True)
def _place(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def dry(name: str) -> Any:
    return main(["fit", "--config", name, "--dry-run"])


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.filterwarnings("ignore:.*AMP with fp16 is not supported on CPU")
@pytest.mark.filterwarnings("ignore:`max_epochs` was not set")
@pytest.mark.parametrize("what", broken_plans.BROKEN)
def test_a_broken_plan_is_named_and_nothing_is_written(what: str, capsys: Any) -> None:
    _, state, says = broken_plans.BROKEN[what]
    name = broken_plans.write(what)
    if state == "fault":
        with pytest.raises(SystemExit) as error:
            dry(name)
        assert error.value.code not in (0, None)
        printed = capsys.readouterr()
        said = words(f"{error.value.code} {printed.out} {printed.err}")
        assert "Traceback" not in said
    else:
        dry(name)
        said = words(capsys.readouterr().out)
        assert " doubt " in said
    assert re.search(says, said), said
    assert not Path("run").exists()
    assert not Path("lightning_logs").exists()


def test_a_sound_plan_raises_no_doubt_and_trains(capsys: Any) -> None:
    name = broken_plans.write()
    planned = dry(name)
    assert [*planned._subcommand_parsers] == ["fit"]  # each of the others takes time to make
    found = look(Run(planned.datamodule, planned.model, planned.trainer))
    assert {check.name for check in found} == set(CHECKS)
    assert {check.state for check in found} == {"ok"}
    said = words(capsys.readouterr().out)
    assert "ImageFolder: 20 images of 5 identities" in said
    assert "4 images in a step, 5 steps in an epoch, 10 steps in 2 epochs" in said
    assert "lfw: 40 images at 112, 14 px" in said
    assert "none of its 20 people is trained on" in said
    assert not Path("run").exists()
    assert main(["fit", "--config", name]).trainer.global_step == 10
    assert "the plan" not in Path("run/results.json").read_text()
    saved = next(Path("run").glob("*.ckpt"))
    goes_on = yaml.safe_load(Path(name).read_text()) | {"ckpt_path": str(saved)}
    goes_on["trainer"]["max_epochs"] = 3
    Path("on.yaml").write_text(yaml.safe_dump(goes_on))
    dry("on.yaml")
    assert re.search(r"goes on after \d+ steps, in epoch \d", words(capsys.readouterr().out))


def test_the_same_run_twice_writes_the_same_results(prepared: Path, capsys: Any) -> None:
    name, here = broken_plans.write(), Path.cwd()
    shutil.copytree(prepared, "again", dirs_exist_ok=True)
    shutil.copy(name, "again")
    for folder in (here, here / "again"):
        os.chdir(folder)
        main(["fit", "--config", name])
    os.chdir(here)
    first, second = Path("run/results.json"), Path("again/run/results.json")
    assert first.read_bytes() == second.read_bytes()
    content = json.loads(first.read_text())
    assert content["config"]["data"]["batch_size"] == 4
    assert content["results"][0]["model_fingerprint"]
    assert main(["reproduce", str(first), "--with", str(second)]) == []
    with pytest.raises(SystemExit, match="does not say which of evaluate, trial, study wrote it"):
        main(["reproduce", str(first)])


def test_all_faults_are_named_at_once() -> None:
    config = yaml.safe_load(Path(broken_plans.write("metric that is not measured")).read_text())
    config["model"]["init_args"]["lr_base_batch"] = 0
    Path("plan.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(SystemExit) as error:
        main(["fit", "--config", "plan.yaml"])
    assert "monitors: ModelCheckpoint waits" in str(error.value.code)
    assert "learning rate: lr_base_batch" in str(error.value.code)
    assert not Path("run").exists()


@pytest.mark.parametrize(
    "trainer",
    [
        {"max_epochs": 3},
        {"max_epochs": 3, "accumulate_grad_batches": 3},
        {"max_epochs": 2, "limit_train_batches": 0.5},
        {"max_epochs": 2, "limit_train_batches": 3, "accumulate_grad_batches": 2},
        {"max_epochs": 9, "max_steps": 5},
        {"max_epochs": -1, "max_steps": 5},
    ],
    ids=str,
)
def test_the_plan_counts_the_steps_that_are_made(
    make_task: Any, make_trainer: Any, faces: Any, trainer: dict[str, Any]
) -> None:
    data, task = FaceDataModule(faces, batch_size=4, num_workers=0), make_task()
    ran = make_trainer(**trainer)
    planned = Run(data, task, ran)
    steps, epochs = planned.steps, planned.epochs
    ran.fit(task, data)
    assert ran.global_step == steps
    assert ran.current_epoch in (epochs, (epochs or 0) - 1)


def test_ranks_share_the_images(make_task: Any, make_trainer: Any, faces: Any) -> None:
    data = FaceDataModule(faces, batch_size=4, num_workers=0)
    trainer = SimpleNamespace(
        num_nodes=2, num_devices=2, accumulate_grad_batches=3, limit_train_batches=1.0,
        max_epochs=2, max_steps=-1,
    )  # fmt: skip
    run = Run(data, make_task(), trainer)
    assert run.images_per_step == 4 * 4 * 3
    assert run.steps_per_epoch == 1  # 8 images a rank, two batches
    assert run.steps == 2


@pytest.mark.parametrize(
    ("optimizer", "weights_only"),
    [
        (partial(torch.optim.SGD, lr=0.01), False),
        (partial(torch.optim.SGD, lr=0.01, momentum=0.9), False),
        (partial(torch.optim.AdamW, lr=0.01), False),
        (partial(torch.optim.AdamW, lr=0.01), True),
    ],
)
def test_a_checkpoint_is_as_large_as_estimated(
    make_task: Callable[..., Any], make_trainer: Any, faces: Any, optimizer: Any,
    weights_only: bool, tmp_path: Path,
) -> None:  # fmt: skip
    data, task = FaceDataModule(faces, batch_size=8, num_workers=0), make_task(optimizer=optimizer)
    trainer = make_trainer(limit_train_batches=1)
    expected = checkpoint_bytes(Run(data, task, trainer), weights_only)
    trainer.fit(task, data)
    trainer.save_checkpoint(tmp_path / "c.ckpt", weights_only)
    overhead = 200_000  # names of tensors, statistics of BatchNorm
    assert expected <= (tmp_path / "c.ckpt").stat().st_size < expected + overhead
