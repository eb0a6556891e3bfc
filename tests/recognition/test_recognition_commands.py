"""``lrfr embed | enroll | gallery | calibrate | identify | verify``, and what they refuse."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from safetensors.torch import save_file
from small_model import write_checkpoint, write_people

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.recognition import Gallery, Thresholds, open_model

FACE = EmbeddedFaces(60, 3).image(0)
MODEL = ["--model", "small.ckpt", "--accelerator", "cpu"]


@pytest.fixture
def place(tmp_path, monkeypatch, make_task):
    """A folder with a model, a gallery of six people and a face that is enrolled."""
    monkeypatch.chdir(tmp_path)
    write_checkpoint(tmp_path / "small.ckpt", make_task)
    write_people(tmp_path / "people", range(6), range(2))
    main(["enroll", "people", "--gallery", "g", *MODEL])
    PillowImage.fromarray(FACE).save("face.png")
    return tmp_path


def test_from_folders_to_names(place, capsys):
    write_people(place / "strangers", range(10, 60), range(1))
    wishes = ["--fpir", "0.1", "--far", "0.1", "--resolutions", "112", "14"]
    thresholds = main(["calibrate", *MODEL, "--faces", "strangers", *wishes])
    assert Thresholds.load("thresholds.json") == thresholds
    assert "threshold at FPIR 0.1" in capsys.readouterr().out
    write_people(place / "probes", range(5, 8), range(1, 2))
    shutil.copy("people/person2/0.png", "probes/enrolled.png")
    known = ["--gallery", "g", "--thresholds", "thresholds.json", "--top", "2"]
    rows = main(["identify", "probes", *MODEL, *known, "--output", "out/names.json"])
    assert len(rows) == 4
    first = rows[0]
    assert (first["probe"], first["name"], first["decision"]) == (
        "probes/enrolled.png", "person2", "known",
    )  # fmt: skip
    assert first["threshold"] == pytest.approx(thresholds.search.limit(112, 6))
    written = json.loads(Path("out/names.json").read_text())
    assert written["probes"] == rows
    assert (written["people"], written["fpir"], len(first["matches"])) == (6, 0.1, 2)
    printed = capsys.readouterr().out
    assert "person2" in printed
    assert "gallery of 6 people; thresholds at FPIR 0.1" in printed


def test_csv_has_a_line_for_every_probe(place, capsys):
    Path("note.jpg").write_text("a note")
    small = ["--resolution", "14", "--top", "3"]
    probes = ["face.png", "note.jpg", "people/person3"]
    rows = main(["identify", *probes, *MODEL, "--gallery", "g", *small, "--output", "n.csv"])
    with open("n.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["decision"] for line in lines] == ["undecided", "failed", *["undecided"] * 2]
    assert lines[0]["resolution"] == "14"
    assert lines[0]["name1"] == rows[0]["matches"][0]["name"]
    assert float(lines[0]["score3"]) == rows[0]["matches"][2]["score"]
    assert lines[1]["reason"].startswith("cannot decode note.jpg")
    assert lines[1]["score"] == ""
    assert "1 of 4 images could not be used" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["npz", "csv"])
def test_embeddings_as_files(place, suffix):
    Path("note.jpg").write_text("a note")
    files = ["face.png", "note.jpg", "people/person3/1.png"]
    main(["embed", *files, *MODEL, "--output", f"e.{suffix}"])
    model = open_model("small.ckpt")
    if suffix == "npz":
        with np.load("e.npz", allow_pickle=False) as content:
            kept = dict(content)
        assert kept["fingerprint"] == model.fingerprint()
        embedding, reasons = kept["embedding"], kept["reason"].tolist()
        assert kept["image"].tolist() == files
        assert kept["resolution"].tolist() == [112, 0, 112]
    else:
        with open("e.csv", newline="") as file:
            lines = list(csv.DictReader(file))
        embedding = np.asarray([[float(line[f"e{i}"]) for i in range(16)] for line in lines])
        reasons = [line["reason"] for line in lines]
    assert np.isnan(embedding[1]).all()
    assert [bool(reason) for reason in reasons] == [False, True, False]
    enrolled = Gallery.load("g")
    row = [image.source for image in enrolled.images].index("person3/1.png")
    assert embedding[2] == pytest.approx(enrolled.embeddings[row], abs=1e-5)


def test_a_gallery_grows_and_shrinks(place, capsys):
    write_people(place / "more", range(5, 8), range(1, 3), side=56)
    main(["enroll", "more", "--gallery", "g", *MODEL])
    printed = capsys.readouterr().out
    # image 1 of person5 differs from the one enrolled: it has another size
    assert "8 people, 18 images; new: 2 people, 6 images; already there: 0 images" in printed
    assert "6 images are below 112 px" in printed
    main(["enroll", "people", "--gallery", "h", *MODEL])
    assert len(main(["gallery", "h", "--merge", "g", "--remove", "person0"])) == 7
    assert Gallery.load("h").people[0] == "person1"
    assert "person7" in capsys.readouterr().out


def test_two_faces(place, capsys):
    shutil.copy("face.png", "other.png")
    folder = write_people(place / "strangers", range(10, 30), range(1))
    main(["calibrate", *MODEL, "--faces", str(folder), "--fpir", "null", "--far", "0.1",
          "--resolutions", "112", "28"])  # fmt: skip
    calibrated = [*MODEL, "--thresholds", "thresholds.json"]
    answer = main(["verify", "face.png", "other.png", *calibrated, "--output", "a.json"])
    assert (answer.score, answer.decision) == (pytest.approx(1), "same")
    assert json.loads(Path("a.json").read_text())["score"] == answer.score
    across = main(["verify", "face.png", "other.png", *calibrated, "--resolution", "28", "112"])
    assert across.score < answer.score
    pairs = Thresholds.load("thresholds.json").pairs
    assert across.threshold == pytest.approx(pairs.limit(28, 112))
    printed = capsys.readouterr().out
    assert "score 1.000" in printed
    assert main(["verify", "face.png", "other.png", *MODEL]).decision == "undecided"
    assert "nothing is decided" in capsys.readouterr().out


def test_weights_with_their_network(place):
    network = IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0)
    save_file(network.state_dict(), "w.safetensors")
    tiny = ["--backbone", "IResNet", "--backbone.depth", "18", "--backbone.width", "4",
            "--backbone.embedding_dim", "16", "--backbone.dropout", "0"]  # fmt: skip
    found = main(["embed", "face.png", "--model", "w.safetensors", *tiny])
    assert found.embedded.embedding.shape == (1, 16)
    with pytest.raises(SystemExit, match="gallery was made by another model: by small"):
        main(["identify", "face.png", "--gallery", "g", "--model", "w.safetensors", *tiny])


def png(image):
    return bytes(cv2.imencode(".png", image)[1])


def saved(image, name, **options):
    PillowImage.fromarray(image).save(name, **options)


def turned():
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    saved(np.rot90(FACE), "turned.jpg", exif=exif, quality=100, subsampling=0)
    return "turned.jpg"


def cmyk():
    PillowImage.fromarray(FACE).convert("CMYK").save("cmyk.jpg", quality=100, subsampling=0)
    return "cmyk.jpg"


def deep():
    Path("deep.png").write_bytes(png((FACE[..., ::-1].astype(np.uint16) << 8) + 77))
    return "deep.png"


def grey():
    Path("grey.png").write_bytes(png(cv2.cvtColor(FACE, cv2.COLOR_RGB2GRAY)))
    return "grey.png"


def text():
    Path("text.jpg").write_text("a note")
    return "text.jpg"


def dot():
    saved(FACE[:1, :1], "dot.png")
    return "dot.png"


def moving(name="moving.webp"):
    frames = [PillowImage.fromarray(FACE), PillowImage.fromarray(255 - FACE)]
    frames[0].save(name, save_all=True, append_images=frames[1:])
    return name


def huge():
    PillowImage.new("L", (10_000, 10_000)).save("huge.png")
    return "huge.png"


def wide():
    saved(FACE[:100], "wide.png")
    return "wide.png"


@pytest.mark.parametrize("make", [cmyk, deep, grey, turned])
def test_unusual_images_of_a_face_are_that_face(make, place):
    name = make()
    faces = main(["embed", "face.png", name, *MODEL]).embedded
    assert faces.embedding[0] @ faces.embedding[1] > (0.95 if make is grey else 0.995)
    assert main(["verify", "face.png", name, *MODEL]).score > 0.95
    row = main(["identify", name, *MODEL, "--gallery", "g"])[0]
    assert row["matches"][0]["name"] == "person0"
    Path("new/somebody").mkdir(parents=True)
    Path("new/somebody", name).write_bytes(Path(name).read_bytes())
    assert len(main(["enroll", "new", *MODEL, "--gallery", "g"])) == 7


NOT_FACES = [
    (text, "cannot decode .*text.jpg: expected an encoded image"),
    (dot, "dot.png: expected a face of at least 7 px a side, got 1x1 px"),
    (moving, "moving.webp is animated, expected one still image"),
    (huge, "huge.png claims 10000x10000 px, expected at most"),
    (wide, "wide.png: expected a cropped face, .* got 112x100 px; .* lrfr align"),
]


@pytest.mark.parametrize(("make", "message"), NOT_FACES)
def test_what_is_no_face_is_one_clear_error_of_every_command(make, message, place):
    name = make()
    write_people(place / "strangers", range(5), range(1))
    for person in ("new/somebody", "strangers/a"):
        Path(person).mkdir(parents=True)
        Path(person, name).write_bytes(Path(name).read_bytes())
    commands = [
        ["embed", name, "--output", "out.npz"],
        ["identify", name, "--gallery", "g", "--output", "out.csv"],
        ["verify", "face.png", name, "--output", "out.json"],
        ["enroll", "new", "--gallery", "out"],
        ["calibrate", "--faces", "strangers", "--fpir", "0.5", "--far", "0.5",
         "--resolutions", "112", "--output", "out.json"],
    ]  # fmt: skip
    for command in commands:
        with pytest.raises(SystemExit, match=f"lrfr {command[0]}: (.|\n)*{message}"):
            main([*command, *MODEL])
    assert not list(Path().glob("out*"))


def weights():
    Path("w.pt").write_bytes(b"none")
    return "w.pt"


def damaged(name):
    Path(name).write_bytes(b"a note, no model")
    return name


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: "none.ckpt", "model not found: expected it at .*none.ckpt"),
        (lambda: damaged("a.ckpt"), "a.ckpt: expected a training checkpoint"),
        (lambda: damaged("a.onnx"), "a.onnx cannot be read as an ONNX model"),
        (lambda: damaged("a.h5"), "a.h5: expected a model as .* got '.h5'"),
        (lambda: "people", "model of the folder"),
        (weights, "w.pt holds weights alone; give the backbone"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ["embed", "text.jpg"],
        ["enroll", "people", "--gallery", "out"],
        ["identify", "text.jpg", "--gallery", "g"],
        ["verify", "text.jpg", "text.jpg"],
        ["calibrate", "--faces", "nowhere"],
        ["trial", "--root", "nowhere"],
    ],
    ids=lambda command: command[0],
)
def test_an_unknown_model_is_said_before_any_image_is_read(
    command, model, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("people").mkdir()
    text()
    with pytest.raises(SystemExit, match=f"lrfr {command[0]}: .*{message}"):
        main([*command, "--model", model()])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["identify", "face.png", "--gallery", "none"], "gallery not found"),
        (["identify", "face.png", "--gallery", "face.png"], "expected a gallery as lrfr enroll"),
        (["identify", "face.png", "--gallery", "empty"], "the gallery is empty"),
        (["identify", "none.png", "--gallery", "g"], "image not found"),
        (["identify", "bare", "--gallery", "g"], "bare holds no image"),
        (
            ["identify", "face.png", "--gallery", "g", "--output", "a.txt"],
            "a file .csv or",
        ),
        (["identify", "face.png", "--gallery", "g", "--resolution", "3"], "a resolution of 7..112"),
        (["identify", "face.png", "--gallery", "g", "--top", "0"], "1 or more people"),
        (["identify", "face.png", "--gallery", "g", "--thresholds", "g"], "expected thresholds as"),
        (["enroll", "bare", "--gallery", "out"], "bare is empty: expected a folder per identity"),
        (["enroll", "people", "--gallery", "g", "--flip"], "made without the mirrored image"),
        (["verify", "face.png", "face.png", "--resolution", "7", "8", "9"], "one or two sides"),
        (["calibrate", "--faces", "people"], "fpir 0.01 needs 100 searches"),
        (["embed", "face.png", "--output", "a.json"], "expected a file .npz or .csv"),
    ],
)
def test_other_bad_input(command, message, place):
    Path("bare").mkdir()
    gallery = Gallery.load("g")
    gallery.without(gallery.people).save("empty")
    before = Path("g").read_bytes()
    with pytest.raises(SystemExit, match=f"lrfr {command[0]}: .*{message}"):
        main([*command, *MODEL])
    assert Path("g").read_bytes() == before
    assert not Path("out").exists()


def test_what_cannot_be_removed_or_merged(place, make_task):
    write_checkpoint(place / "b.ckpt", make_task, seed=1)
    main(["enroll", "people", "--gallery", "h", "--model", "b.ckpt"])
    before = Path("g").read_bytes()
    with pytest.raises(SystemExit, match="lrfr gallery: not in the gallery: nobody"):
        main(["gallery", "g", "--remove", "nobody"])
    with pytest.raises(SystemExit, match="lrfr gallery: the gallery was made by another model"):
        main(["gallery", "g", "--merge", "h"])
    with pytest.raises(SystemExit, match="lrfr enroll: the gallery was made by another model"):
        main(["enroll", "people", "--gallery", "g", "--model", "b.ckpt"])
    assert Path("g").read_bytes() == before
