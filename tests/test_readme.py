"""The README's Python runs, and its task is the shape of thing it promises."""

import re
from functools import partial
from pathlib import Path
from typing import Any

from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.export.model_card import LIMITS, USE
from lrfr_lightning.heads import CosFace, MarginHead
from lrfr_lightning.transforms import CrossResolution, Listed

README = (Path(__file__).parent.parent / "README.md").read_text()


def python_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_a_subclass_with_its_own_loss_in_15_lines(
    make_task: Any, make_trainer: Any, faces: Any
) -> None:
    source = next(block for block in python_blocks() if "(RecognitionTask)" in block)
    assert len(source.strip().splitlines()) <= 15
    names: dict[str, Any] = {"__name__": "readme"}
    exec(source, names)
    arguments = make_task().init_arguments | {"head": partial(MarginHead, margin=CosFace())}
    task = names["PullTask"](**arguments, weight=0.5)
    views = CrossResolution(Listed([14]), share=1.0, views="pair")
    trainer = make_trainer(max_epochs=1)
    trainer.fit(task, FaceDataModule(faces, views, (), 8, num_workers=0))
    assert 0 <= trainer.callback_metrics["train/pull"] <= 2
    assert task.hparams["weight"] == 0.5


def test_every_file_it_names_exists() -> None:
    root = Path(__file__).parent.parent
    named = re.findall(r"\]\(([\w./-]+)\)", README) + re.findall(
        r"experiments/[\w/]+\.yaml", README
    )
    assert named
    assert [name for name in named if not (root / name).exists()] == []


def test_responsible_use_is_that_of_the_model_cards() -> None:
    assert f"<!-- use -->\n{USE}\n\n{LIMITS}\n<!-- /use -->" in README
