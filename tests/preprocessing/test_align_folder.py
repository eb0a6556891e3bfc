"""Folders of photographs: nothing dropped, nothing done twice, nothing half done."""

import csv
import io
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from dots import Dots, draw_dots
from PIL import Image
from test_aligner import turned

from lrfr_lightning.preprocessing import FaceAligner, align_folder
from lrfr_lightning.preprocessing.record import COLUMNS, as_line
from lrfr_lightning.utils.errors import ConfigError, DataError

FACE = draw_dots(turned(1, 0, 90, 70), 150, 180, radius=5)
ROTATED = np.ascontiguousarray(np.rot90(FACE))


def encode(image: np.ndarray, form: str, mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).convert(mode).save(buffer, form, **options)
    return buffer.getvalue()


def turned_by_exif(image: np.ndarray, form: str) -> bytes:
    """Stored turned by 90 degrees, with the orientation that turns it back."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(np.ascontiguousarray(np.rot90(image)), form, exif=exif)


def animated(form: str) -> bytes:
    frames = [Image.fromarray(image) for image in (FACE, np.full_like(FACE, 9))]
    buffer = io.BytesIO()
    options = {"lossless": True} if form == "WEBP" else {}
    frames[0].save(buffer, form, save_all=True, append_images=frames[1:], **options)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of 100 megapixels in a few hundred kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10_001 * 10_000), 1)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows)
            + chunk(b"IEND", b""))  # fmt: skip


SIXTEEN = bytes(
    cv2.imencode(".png", cv2.cvtColor(FACE, cv2.COLOR_RGB2BGR).astype(np.uint16) * 257)[1]
)
FOUND = {
    "anna/1.jpg": encode(FACE, "JPEG", quality=95),
    "anna/2.PNG": encode(FACE, "PNG"),
    "bob/1.jpeg": encode(FACE, "JPEG", quality=95),
    "bob/cmyk.jpg": encode(FACE, "JPEG", "CMYK", quality=95),
    "bob/16bit.png": SIXTEEN,
    "exif.jpg": turned_by_exif(FACE, "JPEG"),
    "exif.png": turned_by_exif(FACE, "PNG"),
    "no_suffix": encode(FACE, "BMP"),
}
FAILED = {
    "bob/animated.gif": animated("GIF"),
    "bob/animated.webp": animated("WEBP"),
    "bob/text.jpg": b"no image at all",
    "bob/empty.jpg": b"",
    "bob/cut.png": encode(FACE, "PNG")[:300],
    "bomb.png": bomb(),
    "grey.png": encode(FACE, "PNG", "L"),
    "one.png": encode(FACE[:1, :1], "PNG"),
    "pairs.txt": b"10\t300\n",
}


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of every kind of file, with an odd name, a broken link and a pipe."""
    root = tmp_path / "photographs"
    for name, data in (FOUND | FAILED).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / ".hidden.jpg").write_bytes(FOUND["anna/1.jpg"])
    Path(os.fsdecode(os.fsencode(root) + b'/\xff\xfe\n"odd".jpg')).write_bytes(FOUND["anna/1.jpg"])
    (root / "broken.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(root / "pipe.jpg")
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_file_has_a_row(photographs: Path, tmp_path: Path) -> None:
    rows = align_folder(photographs, tmp_path / "out", FaceAligner(Dots()), workers=0)
    odd = os.fsdecode(b'\xff\xfe\n"odd".jpg')
    found, failed = {*FOUND, odd}, {*FAILED, "broken.jpg", "pipe.jpg"}
    assert [row["path"] for row in rows] == sorted(found | failed)
    assert {row["path"] for row in rows if row["outcome"] == "aligned"} == found
    assert {row["path"] for row in rows if row["outcome"] == "failed"} == failed
    with open(tmp_path / "out/alignment.csv", errors="surrogateescape", newline="") as file:
        assert list(csv.DictReader(file)) == rows
    crops = {name for name in contents(tmp_path / "out") if not name.startswith("alignment.")}
    assert crops == {row["crop"] for row in rows} - {""}
    assert {"anna/1.jpg", "anna/2.PNG.jpg", "bob/1.jpeg", "no_suffix.jpg"} < crops


def test_what_the_rows_say(photographs: Path, tmp_path: Path) -> None:
    rows = align_folder(photographs, tmp_path / "out", FaceAligner(Dots()), "png", workers=0)
    by_path = {row["path"]: row for row in rows}
    for name in FOUND:  # turned by Exif too
        row = by_path[name]
        points = np.array([float(row[column]) for column in COLUMNS[-10:]]).reshape(5, 2)
        assert np.abs(points - turned(1, 0, 90, 70)).max() < 1, name
        assert float(row["resolution"]) == pytest.approx(112, abs=1)
        assert (row["score"], row["reason"]) == ("0.9000", "")
        crop = cv2.imread(str(tmp_path / "out" / row["crop"]))[..., ::-1]
        aligned = FaceAligner(Dots())(draw_dots(turned(1, 0, 90, 70), 150, 180, radius=5)).crop
        assert np.abs(crop.astype(int) - aligned).mean() < 6, name
    reasons = {name: by_path[name]["reason"] for name in [*FAILED, "broken.jpg", "pipe.jpg"]}
    assert reasons["bob/text.jpg"].startswith("cannot decode it: expected an encoded image")
    assert "claims 10000x10000 px, expected at most 67108864" in reasons["bomb.png"]
    assert reasons["grey.png"] == reasons["one.png"] == "no face found"
    assert "it is animated, expected one still image" in reasons["bob/animated.gif"]
    assert reasons["broken.jpg"] == "cannot read it: No such file or directory"
    assert reasons["pipe.jpg"] == "is no regular file"
    assert all(reasons.values())


def test_worker_processes_write_the_same(photographs: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    align_folder(photographs, one, FaceAligner(Dots()), workers=0)
    align_folder(photographs, two, FaceAligner(Dots()), workers=2)
    assert contents(one) == contents(two)


class Counted(Dots):
    """Stops after some images, as Ctrl-C does."""

    def __init__(self, stop: int = 10**6) -> None:
        super().__init__()
        self.stop = stop

    def detect(self, image: np.ndarray) -> Any:
        if len(self.seen) == self.stop:
            raise KeyboardInterrupt
        return super().detect(image)


def test_goes_on_where_it_stopped(photographs: Path, tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    undisturbed = Counted()
    align_folder(photographs, whole, FaceAligner(undisturbed), workers=0)
    first, second, third = Counted(stop=6), Counted(), Counted()
    with pytest.raises(KeyboardInterrupt):
        align_folder(photographs, stopped, FaceAligner(first), workers=0)
    assert not (stopped / "alignment.csv").exists()
    # what a kill in the middle of writing leaves behind
    with open(stopped / "alignment.jsonl", "a") as lines:
        lines.write('{"path": "bob/1.j')
    (stopped / f"anna/9.jpg.{'0' * 32}.partial").write_bytes(b"half")
    align_folder(photographs, stopped, FaceAligner(second), workers=0)
    assert contents(stopped) == contents(whole)
    assert len(first.seen) + len(second.seen) == len(undisturbed.seen)
    align_folder(photographs, stopped, FaceAligner(third), workers=0)
    assert third.seen == []
    assert contents(stopped) == contents(whole)


def test_new_replaced_and_lost_files_are_done_again(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    before = align_folder(photographs, out, FaceAligner(Dots()), workers=0)
    (photographs / "anna/1.jpg").write_bytes(FAILED["bob/text.jpg"])
    (photographs / "new.jpg").write_bytes(FOUND["anna/1.jpg"])
    (photographs / "bob/text.jpg").unlink()
    (out / "anna/2.PNG.jpg").unlink()
    detector = Counted()
    after = {r["path"]: r for r in align_folder(photographs, out, FaceAligner(detector), workers=0)}
    assert len(detector.seen) == 2  # new.jpg and the crop that was lost
    assert after.keys() == {r["path"] for r in before} - {"bob/text.jpg"} | {"new.jpg"}
    assert after["anna/1.jpg"]["outcome"] == "failed"
    assert not (out / "anna/1.jpg").exists()
    assert (out / "anna/2.PNG.jpg").exists()


def test_other_settings_are_refused(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    align_folder(photographs, out, FaceAligner(Dots()), workers=0)
    before = contents(out)
    with pytest.raises(ConfigError, match="other settings: margin was 0.0, is 0.2; name another"):
        align_folder(photographs, out, FaceAligner(Dots(), margin=0.2), workers=0)
    with pytest.raises(ConfigError, match="detector was .*'least': 12.*, is .*'least': 5"):
        align_folder(photographs, out, FaceAligner(Dots(5)), workers=0)
    with pytest.raises(ConfigError, match="form was 'jpeg', is 'png'"):
        align_folder(photographs, out, FaceAligner(Dots()), "png", workers=0)
    assert contents(out) == before
    assert json.loads(before["alignment.json"])["folder"] == str(photographs)


def test_a_damaged_record_is_one_clear_error(photographs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    align_folder(photographs, out, FaceAligner(Dots()), workers=0)
    lines = out / "alignment.jsonl"
    lines.write_bytes(bytes(40) + b"\n")
    with pytest.raises(DataError, match=r"alignment.jsonl is damaged: remove it"):
        align_folder(photographs, out, FaceAligner(Dots()), workers=0)
    mine = tmp_path / "mine.jpg"
    mine.write_text("keep")
    row = dict.fromkeys(COLUMNS, "") | {"path": "gone.jpg", "crop": "../mine.jpg"}
    lines.write_text(as_line(row))
    with pytest.raises(DataError, match=r"a row whose crop lies elsewhere: '../mine.jpg'"):
        align_folder(photographs, out, FaceAligner(Dots()), workers=0)
    assert mine.exists()
    lines.unlink()
    (out / "alignment.csv").write_text("path,label\n")
    with pytest.raises(DataError, match="has other columns than an alignment's"):
        align_folder(photographs, out, FaceAligner(Dots()), workers=0)


def test_folders_that_do_not_do(tmp_path: Path) -> None:
    root, aligner = tmp_path / "photographs", FaceAligner(Dots())
    root.mkdir()
    with pytest.raises(DataError, match="expected photographs in .*, found no file"):
        align_folder(root, tmp_path / "out", aligner)
    (root / "1.png").write_bytes(FOUND["anna/2.PNG"])
    for output in (root, root / "out", tmp_path):
        with pytest.raises(ConfigError, match="neither may lie in the other"):
            align_folder(root, output, aligner)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine.txt").write_text("keep")
    with pytest.raises(DataError, match="expected a new or empty folder, or one of an earlier"):
        align_folder(root, tmp_path / "other", aligner)
    with pytest.raises(DataError, match=r"photographs, .*1.png is a file"):
        align_folder(root / "1.png", tmp_path / "out", aligner)
    (root / "1.png.jpg").write_bytes(FOUND["anna/1.jpg"])
    with pytest.raises(DataError, match=r"1 crops would take the place .*: 1.png.jpg; rename"):
        align_folder(root, tmp_path / "out", aligner)
    (root / "loop").symlink_to(root)
    with pytest.raises(DataError, match="loop is a link to a folder above it"):
        align_folder(root, tmp_path / "out", aligner)
    with pytest.raises(ConfigError, match="expected workers of 0 or more and the form jpeg or png"):
        align_folder(root, tmp_path / "out", aligner, workers=-1)
    assert not (tmp_path / "out").exists()


def test_a_line_is_one_line() -> None:
    assert as_line({"path": "a\nb"}).count("\n") == 1
