"""bf16: close, cheaper, told apart in the cache and in results."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lrfr_lightning.backbones import MobileFaceNet
from lrfr_lightning.cli.main import main
from lrfr_lightning.embedders import CachedEmbedder, ModuleEmbedder
from lrfr_lightning.utils.errors import ConfigError

IMAGES = torch.randint(0, 256, (4, 3, 112, 112), generator=torch.Generator().manual_seed(0))


def test_bf16_is_near_float32_and_another_model_to_the_cache(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = MobileFaceNet()
    exact, fast = ModuleEmbedder(network, "m"), ModuleEmbedder(network, "m", "bf16")
    one, two = exact.embed(IMAGES), fast.embed(IMAGES)
    assert two.dtype == torch.float32
    assert not torch.equal(one, two)
    assert torch.cosine_similarity(one, two).min() > 0.99
    assert exact.fingerprint() != fast.fingerprint()
    kept = CachedEmbedder(exact, tmp_path)
    kept.embed(IMAGES)
    kept.flush()
    torch.testing.assert_close(CachedEmbedder(fast, tmp_path).embed(IMAGES), two)
    assert CachedEmbedder(fast, tmp_path).precision == "bf16"


def test_results_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_file(MobileFaceNet().state_dict(), "w.safetensors")
    protocol = {
        "class_path": "lrfr_lightning.protocols.EmbeddedVerification",
        "init_args": {"identities": 20, "images_per_identity": 2, "pairs_per_fold": 2,
                      "resolutions": [14]},
    }  # fmt: skip
    main(["evaluate", "--weights", "w.safetensors", "--backbone", "MobileFaceNet", "--protocols",
          json.dumps([protocol]), "--precision", "bf16", "--accelerator", "cpu"])  # fmt: skip
    written = json.loads(Path("results.json").read_text())
    assert written["config"]["precision"] == "bf16"
    assert [result["precision"] for result in written["results"]] == ["bf16"]


def test_no_such_precision() -> None:
    with pytest.raises(ConfigError, match="m: expected a precision of float32, bf16, got 'int8'"):
        ModuleEmbedder(MobileFaceNet(), "m", "int8")  # type: ignore[arg-type]
