"""The command: which models it opens, and what it refuses before it serves."""

import json
import socket
from typing import Any

import numpy as np
import pytest
from served import send, serving

from lrfr_lightning.backbones import MobileFaceNet
from lrfr_lightning.cli.demo import open_models, recognisers
from lrfr_lightning.cli.main import main
from lrfr_lightning.demo import Album, Comparer
from lrfr_lightning.functional.resize import BICUBIC, degrade
from lrfr_lightning.recognition import Thresholds


def test_without_a_model_raw_pixels_are_compared() -> None:
    comparer = Comparer(recognisers(open_models([], None), []), Album())
    with serving(comparer) as server:
        assert send(server, "/setting")[2]["floor"]
        path = "/compare?reference=face-0&probe=face-1&reference_resolution=112&probe_resolution=14"
        (row,) = send(server, path)[2]["models"]
    crops = [comparer.album[key].crop for key in ("face-0", "face-1")]
    one, other = crops[0], degrade(crops[1], 14, BICUBIC, BICUBIC)
    # channels have the same scale, so that the cosine of pixels less their mean is correlation
    correlation = np.corrcoef(one.ravel(), other.ravel())[0, 1]
    assert row["score"] == pytest.approx(correlation, abs=1e-5)
    assert row["model"] == "raw-pixels"
    assert row["decision"] == "undecided"


def test_thresholds_find_their_model(models: Any) -> None:
    opened = open_models([str(path) for path in models.checkpoints], None)
    assert [model.name for model in opened] == [str(path) for path in models.checkpoints]
    assert open_models([str(models.checkpoints[0])], None)[0].name == "last"
    own = Thresholds.load(models.thresholds)
    assert [one.thresholds for one in recognisers(opened, [own])] == [None, own]
    with pytest.raises(ValueError, match="thresholds of last are of none of the models raw-pixels"):
        recognisers(open_models([], None), [own])
    with pytest.raises(ValueError, match="one file of thresholds for each model, got several"):
        recognisers(opened, [own, own])


def test_bad_input_ends_before_the_page_is_open(
    models: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrfr_lightning.cli.demo.DemoServer.serve_forever", pytest.fail)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=f"cannot listen on port {port} .* already in use"):
            main(["demo", "--port", str(port), "--model", str(models.checkpoints[0])])
    with pytest.raises(SystemExit, match="expected a port of 0..65535, got 70000"):
        main(["demo", "--port", "70000"])
    with pytest.raises(SystemExit, match="model not found"):
        main(["demo", "--model", "nowhere.ckpt"])
    checkpoint = ["demo", "--model", str(models.checkpoints[0])]
    with pytest.raises(SystemExit, match="leave out the backbone"):
        main([*checkpoint, "--backbone", "MobileFaceNet"])
    broken = tmp_path / "t.json"
    broken.write_text(json.dumps({"format": 1}))
    with pytest.raises(SystemExit, match="expected thresholds as lrfr calibrate writes them"):
        main([*checkpoint, "--thresholds", str(broken)])


@pytest.mark.real
def test_real_faces_and_the_pretrained_network(lrfr_data: Any, tmp_path: Any) -> None:
    """Weights and thresholds from the command line; what the page says is what verify says."""
    weights = str(lrfr_data / "weights" / "mobilefacenet-casia.safetensors")
    model = ["--model", weights, "--backbone", "MobileFaceNet"]
    images = lrfr_data / "lfw-112" / "images"
    folder = tmp_path / "people"
    for person in sorted(images.iterdir())[:60]:
        (folder / person.name).mkdir(parents=True)
        face = next(iter(sorted(person.glob("*.jpg"))))
        (folder / person.name / face.name).symlink_to(face)
    limits = str(tmp_path / "t.json")
    wished = ["--fpir", "null", "--far", "0.001", "--resolutions", "112", "14"]
    main(["calibrate", *model, "--faces", str(folder), *wished, "--output", limits])
    comparer = Comparer(
        recognisers(open_models([weights], MobileFaceNet()), [Thresholds.load(limits)]), Album()
    )
    files = [
        images / name / f"{name}_{number:04d}.jpg"
        for name, number in (("Colin_Powell", 1), ("Colin_Powell", 2), ("Tony_Blair", 1))
    ]
    said = {}
    with serving(comparer) as server:
        one, *others = [
            send(server, "/photograph", file.read_bytes())[2]["photograph"] for file in files
        ]
        for px in (112, 14):
            for other, file in zip(others, files[1:], strict=True):
                path = f"/compare?reference={one}&reference_resolution=112&probe={other}"
                (row,) = send(server, f"{path}&probe_resolution={px}")[2]["models"]
                both = [str(files[0]), str(file), "--resolution", "112", str(px)]
                verified = main(["verify", *both, *model, "--thresholds", limits])
                assert row["score"] == pytest.approx(verified.score, abs=1e-5)
                assert row["threshold"] == pytest.approx(verified.threshold)
                assert row["decision"] == verified.decision
                said[file.parent.name, px] = row["decision"]
    assert said["Colin_Powell", 112] == "same"
    assert said["Tony_Blair", 112] == "different"
