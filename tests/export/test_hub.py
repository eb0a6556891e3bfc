"""Push and pull, against a Hub on the loopback; the card says what was measured."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hub_server import TOKEN, Hub, serving
from PIL import Image
from small_network import small

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.cli.main import main
from lrfr_lightning.datasets import EmbeddedFaces
from lrfr_lightning.embedders import ModuleEmbedder, open_model
from lrfr_lightning.export import (
    CardText,
    describe_model,
    export_safetensors,
    from_pretrained,
    push_to_hub,
)
from lrfr_lightning.export.model_card import render_card
from lrfr_lightning.protocols import ProtocolResult, write_results
from lrfr_lightning.utils.errors import ConfigError, DataError

# huggingface_hub 2.4 on httpx2, when it sends a file
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

IMAGES = torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8)


def tiny(seed: int = 0) -> ModuleEmbedder:
    return ModuleEmbedder(small(seed), "tiny")


def result(model: str, resolution: int, accuracy: float) -> ProtocolResult:
    return ProtocolResult(
        model, "lfw-devtest", "standard", resolution, "both", "bicubic, antialias",
        "bicubic, antialias", False, {"accuracy": accuracy}, {"pairs": 1000},
    )  # fmt: skip


RESULTS = [result("tiny", 112, 0.981), result("tiny", 14, 0.907), result("raw-pixels", 14, 0.65)]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub that the client of this process asks, with a cache of its own."""
    constants = pytest.importorskip("huggingface_hub.constants")
    with serving() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        # made when it is first imported, whose endpoint may be another test's
        monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        yield hub


def test_what_is_pushed_comes_back(hub: Hub) -> None:
    first, second = tiny(0), tiny(1)
    url = push_to_hub(first, "me/faces", results=RESULTS)
    assert url.startswith(f"{hub.url}/me/faces/commit/")
    assert hub.private == {"me/faces": True}
    files = hub.commits["me/faces"][0]
    assert sorted(files) == ["README.md", "config.json", "model.safetensors"]
    assert files["model.safetensors"] in hub.lfs.values()
    assert json.loads(files["config.json"])["lrfr.model"]["measured"] == {
        "lfw-devtest": {"112": {"accuracy": 0.981}, "14": {"accuracy": 0.907}}
    }
    push_to_hub(second, "me/faces")
    for address, model in (("hub:me/faces@v1", first), ("hub:me/faces", second)):
        found = open_model(address)
        assert found.name == "tiny"
        assert found.fingerprint() == model.fingerprint()
        assert torch.equal(found.embed(IMAGES), model.embed(IMAGES))
    pulled = sum(line.startswith("GET") for line in hub.log)
    assert from_pretrained("me/faces", "v1").fingerprint() == first.fingerprint()
    assert sum(line.startswith("GET") for line in hub.log) == pulled  # from the cache


def test_what_the_hub_refuses_is_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    push_to_hub(tiny(), "me/faces")
    for address, kind in (
        ("hub:me/nothing", "RepositoryNotFoundError"),
        ("hub:me/faces@v7", "RevisionNotFoundError"),
        ("hub:me/a/b", "HFValidationError"),
    ):
        with pytest.raises(DataError, match=rf"cannot fetch model.safetensors .*{kind}.*; check"):
            open_model(address)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(DataError, match="cannot push to me/more on the Hub .* the token"):
        push_to_hub(tiny(), "me/more")
    with pytest.raises(ConfigError, match="leave out the backbone"):
        open_model("hub:me/faces", "IResNet")


def test_the_command_pushes_and_others_pull(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    network = IResNet(18, embedding_dim=16, width=4)
    model = ModuleEmbedder(network, "tiny")
    export_safetensors(network, tmp_path / "tiny.safetensors")
    (tmp_path / "faces").mkdir()
    Image.fromarray(EmbeddedFaces(2, 1, cache=False).image(0)).save(tmp_path / "faces" / "1.png")
    write_results(tmp_path / "results.json", RESULTS)
    script = (
        "from lrfr_lightning.cli.main import main\n"
        "main('export --model tiny.safetensors --format folder --output out --hub me/faces --public"
        " --results results.json --data_licence agreed --check_images faces'.split())\n"
        "main('export --model hub:me/faces@main --format safetensors"
        " --output back.safetensors --check_images faces'.split())\n"
    )
    with serving() as hub:
        environment = {
            **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1",
            "HF_HOME": str(tmp_path / "home"),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"pushed: {hub.url}/me/faces/commit/" in done.stdout
        assert hub.private == {"me/faces": False}
    back = open_model(str(tmp_path / "back.safetensors"))
    assert back.fingerprint() == model.fingerprint()
    assert "Licence: agreed" in (tmp_path / "out" / "README.md").read_text()
    assert "hub:me/faces" in (tmp_path / "out" / "README.md").read_text()
    with pytest.raises(ConfigError, match="is a folder, which has no revision"):
        from_pretrained(str(tmp_path / "out"), "v1")
    found = from_pretrained(str(tmp_path / "out"))
    assert torch.equal(found.embed(IMAGES), model.embed(IMAGES))


def test_results_of_another_model_are_refused(tmp_path: Path) -> None:
    export_safetensors(tiny().backbone, tmp_path / "other.safetensors")
    write_results(tmp_path / "results.json", RESULTS)
    arguments = [
        "export", "--model", f"{tmp_path}/other.safetensors", "--format", "folder", "--output",
        f"{tmp_path}/out", "--results", f"{tmp_path}/results.json",
    ]  # fmt: skip
    with pytest.raises(SystemExit, match="the results are of tiny, none is of other"):
        main(arguments)
    assert not (tmp_path / "out").exists()


def test_the_card_says_what_was_measured_and_what_it_is_not_for() -> None:
    model = tiny()
    facts = describe_model(
        model.backbone, "tiny", results=RESULTS, trained_resolutions=(112, 14),
        thresholds={"14": {"far=0.001": 0.4}},
    )  # fmt: skip
    text = CardText("cc-by-nc-4.0", "a [set] of faces", "research only")
    card = render_card(model.backbone, facts, RESULTS, text, "hub:me/faces")
    _, header, body = card.split("---\n", 2)
    described: dict[str, Any] = yaml.safe_load(header)
    assert described["license"] == "cc-by-nc-4.0"
    assert "face-recognition" in described["tags"]
    for wanted in (
        "90.7", "lfw-devtest", "standard", "bicubic, antialias", "1,000", "raw-pixels",
        "112 px, 14 px",
        '"far=0.001": 0.4', "a \\[set\\] of faces", "Licence: research only",
        "must not be used for", "differ between groups", facts.fingerprint,
    ):  # fmt: skip
        assert wanted in body, wanted
