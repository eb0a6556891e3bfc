"""Embeddings kept on disk, and models that are functions."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from lrfr_lightning.backbones import IResNet
from lrfr_lightning.cli.main import main
from lrfr_lightning.embedders import (
    CachedEmbedder,
    CallableEmbedder,
    ModuleEmbedder,
    RawPixels,
    evaluate,
)
from lrfr_lightning.embedders.store import EmbeddingStore
from lrfr_lightning.protocols import EmbeddedVerification
from lrfr_lightning.utils.errors import ConfigError

KEYS = [bytes([k]) * 32 for k in range(5)]
ROWS = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)


class Counting(ModuleEmbedder):
    """Counts the images that reach the network."""

    def __init__(self, seed: int = 0) -> None:
        torch.manual_seed(seed)
        super().__init__(IResNet(depth=18, embedding_dim=16, width=4, dropout=0.0), "counting")
        self.seen = 0

    def embed(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return super().embed(images)


def test_a_second_protocol_does_not_run_the_network_again(tmp_path: Path) -> None:
    protocol = EmbeddedVerification(20, 2, 2, resolutions=(112, 14))
    (plain, plain_14) = evaluate(Counting(), protocol)
    first = CachedEmbedder(Counting(), tmp_path)
    assert evaluate(first, protocol)[0].metrics == pytest.approx(plain.metrics, nan_ok=True)
    assert first.embedder.seen == 80
    evaluate(first, protocol)
    assert first.embedder.seen == 80
    first.flush()
    # another process, another protocol with the same pixels
    again = CachedEmbedder(pickle.loads(pickle.dumps(Counting())), tmp_path)
    other = EmbeddedVerification(20, 2, 2, resolutions=(14,))
    assert evaluate(again, other)[0].metrics == pytest.approx(plain_14.metrics, nan_ok=True)
    assert again.embedder.seen == 0
    # mirrored images and other resolutions are other images
    evaluate(again, EmbeddedVerification(20, 2, 2, resolutions=(14,), flip=True))
    assert again.embedder.seen == 40
    evaluate(again, EmbeddedVerification(20, 2, 2, resolutions=(15,)))
    assert again.embedder.seen == 80


def test_another_model_has_another_fingerprint() -> None:
    one, same, other = Counting(), Counting(), Counting(seed=1)
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()
    assert len(one.fingerprint()) == 64
    with torch.no_grad():
        next(same.backbone.parameters()).view(-1)[0] += 1e-6
    assert one.fingerprint() != same.fingerprint()
    assert RawPixels().fingerprint() is None
    with pytest.raises(ConfigError, match="raw-pixels has no fingerprint"):
        CachedEmbedder(RawPixels(), "anywhere")


def test_equal_images_of_one_batch_run_once(tmp_path: Path) -> None:
    cached = CachedEmbedder(Counting(), tmp_path)
    images = torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8)
    embedding = cached.embed(images[[0, 1, 0, 0]])
    assert cached.embedder.seen == 2
    assert torch.equal(embedding[0], embedding[2])
    # the same numbers of another type are another input
    cached.embed(images.float())
    assert cached.embedder.seen == 4


def test_writers_at_the_same_time(tmp_path: Path) -> None:
    one, other = EmbeddingStore(tmp_path), EmbeddingStore(tmp_path)
    assert KEYS[0] not in one
    assert KEYS[0] not in other
    one.add(KEYS[:3], ROWS[:3])
    other.add(KEYS[2:], ROWS[2:])
    one.flush()
    other.flush()
    one.flush()
    assert len(list(tmp_path.iterdir())) == 2
    read = EmbeddingStore(tmp_path)
    assert all(np.array_equal(read[key], row) for key, row in zip(KEYS, ROWS, strict=True))
    assert all(np.array_equal(one[key], row) for key, row in zip(KEYS[:3], ROWS[:3], strict=True))


def test_damaged_files_are_passed_over_and_written_anew(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    store.add(KEYS, ROWS)
    store.flush()
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    evil = tmp_path / "evil.npy"
    for damage in (whole[:-3], whole[:40], b"", whole[:-1] + b"\x01"):
        path.write_bytes(damage)
        np.save(evil, np.array([print], dtype=object), allow_pickle=True)
        damaged = EmbeddingStore(tmp_path)
        with pytest.warns(UserWarning, match="damaged and passed over"):
            assert KEYS[0] not in damaged
        evil.unlink()
        damaged.add(KEYS, ROWS)
        damaged.flush()
        assert path.read_bytes() == whole


def test_the_command_line(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my_model.py").write_text("def thumb(x):\n    return x[:, :, ::16, ::16].flatten(1)\n")
    Path("e.yaml").write_text(
        "models:\n"
        "- class_path: lrfr_lightning.embedders.CallableEmbedder\n"
        "  init_args: {function: my_model.thumb, name: thumb}\n"
        "protocols:\n"
        "- class_path: lrfr_lightning.protocols.EmbeddedVerification\n"
        "  init_args: {identities: 20, images_per_identity: 2, pairs_per_fold: 2, "
        "resolutions: [14]}\n"
    )
    (result,) = main(["evaluate", "--config", "e.yaml", "--cache", "kept"])
    assert result.model == "thumb"
    assert "thumb has no fingerprint: its embeddings are not kept" in capsys.readouterr().out
    assert not Path("kept").exists()
    assert '"function": "my_model.thumb"' in Path("results.json").read_text()


def test_a_function_is_a_model() -> None:
    images = torch.randint(0, 256, (3, 3, 112, 112), dtype=torch.uint8)
    mean = CallableEmbedder(lambda x: x.mean(dim=(2, 3)).double().numpy(), "mean")
    slow = images.numpy().astype(float).mean(axis=(2, 3)) / 127.5 - 1
    np.testing.assert_allclose(mean.embed(images).numpy(), slow, atol=1e-6)
    assert mean.embed(images).dtype == torch.float32
    assert mean.fingerprint() is None
    with pytest.raises(ConfigError, match=r"bad: expected embeddings \(3, D\).* Tensor \(1, 3\)"):
        CallableEmbedder(lambda x: x.mean(dim=(0, 2, 3))[None], "bad").embed(images)
    with pytest.raises(ConfigError, match="got list"):
        CallableEmbedder(lambda x: [1], "bad").embed(images)
