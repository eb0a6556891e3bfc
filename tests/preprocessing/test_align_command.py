"""``lrfr align`` on photographs of real faces, from end to end."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.alignment import measure
from benchmarks.photographs import Placed

from lrfr_lightning.cli.main import main
from lrfr_lightning.preprocessing.record import read_csv
from processes import Forked, finish, kill_remains


def totals(placed: list[Placed], rows: Any, least: int) -> tuple[float, float, float]:
    """Recall, landmark error over the distance of the eyes, px in the crop."""
    sizes = [size for size in measure(placed, rows) if size["size"] >= least]
    assert all(size["rows"] == size["photographs"] == 6 for size in sizes)
    found = sum(size["found"] for size in sizes)
    mean = [sum(s[e] * s["found"] for s in sizes) / found for e in ("error_eyes", "crop_error")]
    return found / sum(size["photographs"] for size in sizes), mean[0], mean[1]


@pytest.mark.real
@pytest.mark.parametrize(
    ("detector", "least", "recall", "error", "crop"),
    [("mtcnn", 32, 0.95, 0.12, 3.0), ("yunet", 48, 0.9, 0.25, 8.0)],
)
def test_recall_and_landmark_error(
    placed: tuple[Path, list[Placed]], tmp_path: Path, capsys: Any,
    detector: str, least: int, recall: float, error: float, crop: float,
) -> None:  # fmt: skip
    folder, faces = placed
    arguments = ["align", str(folder), "--output", str(tmp_path / "out"), "--workers", "0"]
    rows = main([*arguments, "--detector", detector])
    assert len(rows) == 60
    found, landmarks, place = totals(faces, rows, least)
    assert found >= recall
    assert landmarks < error
    assert place < crop
    printed = capsys.readouterr().out
    aligned = sum(row["outcome"] == "aligned" for row in rows)
    assert f"{aligned / 60:.1%}" in printed
    assert "60 files → " in printed


@pytest.mark.real
def test_smaller_faces_are_found_in_the_enlarged_picture(
    placed: tuple[Path, list[Placed]], tmp_path: Path
) -> None:
    folder, faces = placed
    counts = {}
    for policy in ("fail", "upscale"):
        out = ["--output", str(tmp_path / policy), "--workers", "0"]
        rows = main(["align", str(folder), *out, "--too-small", policy])
        small = [size for size in measure(faces, rows) if size["size"] <= 20]
        counts[policy] = sum(size["found"] for size in small)
    assert counts["upscale"] >= counts["fail"] + 2


@pytest.mark.real
def test_killed_and_started_again(placed: tuple[Path, list[Placed]], tmp_path: Path) -> None:
    folder, _ = placed
    command = ["align", str(folder), "--workers", "2", "--output"]
    whole = Forked([*command, "whole"], tmp_path)
    killed = Forked([*command, "out"], tmp_path)
    lines = tmp_path / "out/alignment.jsonl"
    until = time.monotonic() + 120
    while not (lines.exists() and lines.read_text().count("\n") >= 10):
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    finish(killed, -signal.SIGKILL)  # its workers leave by themselves and close the pipe
    kill_remains(killed)
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")}
    assert 0 < len(done) < 60
    finish(Forked([*command, "out"], tmp_path))
    finish(whole)
    files = [
        {path.relative_to(tmp_path / name): path.read_bytes()
         for path in (tmp_path / name).rglob("*") if path.is_file()}
        for name in ("whole", "out")
    ]  # fmt: skip
    assert files[0] == files[1]
    assert len(read_csv(tmp_path / "out/alignment.csv")) == 60
    assert done == {path: path.stat().st_mtime_ns for path in done}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "--output", "out"], "folder of photographs not found"),
        ([".", "--output", "out"], "neither may lie in the other"),
        (["photographs", "--output", "out"], "found no file"),
        (["photographs", "--output", "out", "--margin", "2"], "margin: expected a share"),
    ],
)
def test_bad_input_is_one_clear_error(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photographs").mkdir()
    with pytest.raises(SystemExit, match=f"lrfr align: .*{message}"):
        main(["align", *arguments])
    assert not Path("out").exists()
