"""``--align``: names for people on photographs."""

from pathlib import Path
from shutil import copyfile

import pytest
from benchmarks.photographs import make_photographs

from lrfr_lightning.cli.main import main

MODEL = ("--backbone", "MobileFaceNet", "--accelerator", "cpu")


@pytest.mark.real
def test_from_a_photograph_to_a_name(
    lrfr_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    faces = lrfr_data / "lfw-112" / "images"
    model = ["--model", str(lrfr_data / "weights" / "mobilefacenet-casia.safetensors"), *MODEL]
    placed = [face for face in make_photographs(faces, Path("frames"), 20) if face.size >= 48]
    for face in placed:
        face_of_it = Path("people") / face.person / "1.jpg"
        face_of_it.parent.mkdir(parents=True)
        copyfile(sorted((faces / face.person).iterdir())[0], face_of_it)
    main(["enroll", "people", "--gallery", "g", *model])
    frames = [str(Path("frames") / face.path) for face in placed]
    rows = main(["identify", *frames, "--gallery", "g", "--align", "mtcnn", *model])
    right = sum(
        row["matches"][0]["name"] == face.person for row, face in zip(rows, placed, strict=True)
    )
    assert right >= len(placed) - 1
    near = [row["resolution"] / min(face.size, 112) for row, face in zip(rows, placed, strict=True)]
    assert sum(0.8 < ratio < 1.25 for ratio in near) >= len(placed) - 1
    # enrolled from a photograph as well
    Path("seen/somebody").mkdir(parents=True)
    copyfile(frames[-1], "seen/somebody/frame.jpg")
    gallery = main(["enroll", "seen", "--gallery", "g", "--align", "mtcnn", *model])
    assert len(gallery) == len(placed) + 1
    with pytest.raises(SystemExit, match="which is square, got 400x300 px; .*--align mtcnn"):
        main(["verify", frames[0], frames[1], *model])
