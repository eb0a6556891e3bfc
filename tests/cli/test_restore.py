"""``lrfr restore``: a picture of what resolvers make of small faces."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lrfr_lightning.cli.main import main
from lrfr_lightning.datamodules import FaceDataModule
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.functional.resize import BICUBIC, degrade
from lrfr_lightning.preprocessing import Bicubic, ResolverNetwork
from lrfr_lightning.reports.restoration import restoration_columns, restoration_figure
from lrfr_lightning.tasks import SuperResolutionTask
from lrfr_lightning.transforms import CrossResolution, Listed


@pytest.fixture
def faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Two embedded faces, which lie at ``0.png`` and ``1.png``."""
    monkeypatch.chdir(tmp_path)
    images = [EmbeddedFaces(2, 1).image(i) for i in range(2)]
    for number, image in enumerate(images):
        Image.fromarray(image).save(f"{number}.png")
    return images


@pytest.fixture
def checkpoint(faces: Any, make_task: Any, make_trainer: Any, tmp_path: Path) -> str:
    """A resolver that was trained for one step."""
    recogniser = make_task().backbone
    task = SuperResolutionTask(ResolverNetwork(12, 1), recogniser, "none", identity_weight=0.0)
    pairs = CrossResolution(Listed([14]), share=1.0, views="pair")
    data = FaceDataModule(EmbeddedFaces(4, 2), pairs, (), 4, num_workers=0)
    trainer = make_trainer(max_steps=1)
    trainer.fit(task, data)
    trainer.save_checkpoint(tmp_path / "ours.ckpt")
    return "ours.ckpt"


def test_the_picture_on_disk(faces: Any, checkpoint: str, capsys: Any) -> None:
    again = ["--resolvers+=CheckpointResolver", f"--resolvers.path={checkpoint}",
             "--resolvers.name=again"]  # fmt: skip
    arguments = ["restore", "0.png", "1.png", "--checkpoint", checkpoint, *again]
    assert main([*arguments, "--output", "out/grid.png"]) == Path("out/grid.png")
    assert capsys.readouterr().out == "picture: out/grid.png\n"
    with Image.open("out/grid.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 2 * picture.height  # five columns, two rows


def test_the_columns(faces: list[np.ndarray]) -> None:
    class Red(Bicubic):
        def restore(self, faces: torch.Tensor) -> torch.Tensor:
            assert faces.shape == (2, 3, 112, 112)
            return super().restore(faces) * torch.tensor([1.0, 0, 0]).view(3, 1, 1)

    columns = restoration_columns(faces, 14, [Bicubic(), Red("red")])
    assert list(columns) == ["14 px", "bicubic", "red", "112 px"]
    for number, face in enumerate(faces):
        enlarged = degrade(face, 14, BICUBIC, BICUBIC)
        assert np.array_equal(columns["bicubic"][number], enlarged)
        assert np.array_equal(columns["red"][number][..., 0], enlarged[..., 0])
        assert columns["red"][number][..., 1:].max() == 0
        assert np.array_equal(columns["112 px"][number], face)
        small = columns["14 px"][number]
        assert np.array_equal(small, np.repeat(np.repeat(small[4::8, 4::8], 8, 0), 8, 1))
    drawn = [[ax.get_images()[0].get_array() for ax in restoration_figure(columns).axes]]
    assert np.array_equal(drawn[0][3], faces[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.png"], "image not found"),
        (["notes.txt"], "cannot decode notes.txt"),
        (["small.png"], "expected aligned faces of 112x112 px, got 20x10; align the images"),
        (["0.png", "--resolution", "113"], "resolution 113 px does not fit"),
        (["0.png", "--checkpoint", "none.ckpt"], "resolver checkpoint not found"),
        (["0.png", "--checkpoint", "notes.txt"], "notes.txt: expected a training checkpoint"),
    ],
)
def test_bad_input_is_one_clear_error(faces: Any, arguments: Any, message: str) -> None:
    Path("notes.txt").write_text("a note")
    Image.new("RGB", (20, 10)).save("small.png")
    with pytest.raises(SystemExit, match=f"lrfr restore: .*{message}"):
        main(["restore", *arguments])
    assert not Path("restored.png").exists()


def test_two_resolvers_of_one_name(faces: Any, checkpoint: str) -> None:
    with pytest.raises(SystemExit, match="resolvers of different names, got bicubic, ours, ours"):
        main(["restore", "0.png", "--checkpoint", checkpoint, checkpoint])
