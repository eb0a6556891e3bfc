import os
import pickle
import re

import pytest
import torch
from safetensors.torch import save_file

from lrfr_lightning.backbones import IResNet, load_weights
from lrfr_lightning.heads import ArcFace, MarginHead
from lrfr_lightning.utils.errors import DataError


def small(seed=0, **settings):
    torch.manual_seed(seed)
    return IResNet(**{"depth": 18, "embedding_dim": 8, "width": 2} | settings)


@pytest.fixture
def trained() -> IResNet:
    return small(seed=1)


def save(contents, path):
    writer = save_file if path.suffix == ".safetensors" else torch.save
    writer(contents, path)
    return path


def assert_loaded(path, trained):
    backbone = small(seed=2)
    load_weights(backbone, path)
    wanted = trained.state_dict()
    assert all(torch.equal(wanted[name], value) for name, value in backbone.state_dict().items())


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".ckpt"])
def test_reads_every_format(tmp_path, trained, suffix):
    assert_loaded(save(dict(trained.state_dict()), tmp_path / f"weights{suffix}"), trained)


@pytest.mark.parametrize(
    "prefix",
    ["module.", "backbone.", "module.backbone.", "backbone._orig_mod.", "_orig_mod.module."],
)
def test_strips_wrappers(tmp_path, trained, prefix):
    state = {f"{prefix}{name}": value for name, value in trained.state_dict().items()}
    assert_loaded(save(state, tmp_path / "w.safetensors"), trained)


def test_takes_the_backbone_out_of_a_lightning_checkpoint(tmp_path, trained):
    head = MarginHead(8, 5, ArcFace())
    state = {f"backbone.{name}": value for name, value in trained.state_dict().items()}
    state |= {f"head.{name}": value for name, value in head.state_dict().items()}
    state |= {f"teacher.{name}": value for name, value in small().state_dict().items()}
    checkpoint = {
        "state_dict": state,
        "epoch": 3,
        "pytorch-lightning_version": "2.6.4",
        "hyper_parameters": {"head": {"class_path": "lrfr_lightning.heads.MarginHead"}},
        "optimizer_states": [torch.optim.SGD(trained.parameters(), 0.1).state_dict()],
    }
    assert_loaded(save(checkpoint, tmp_path / "last.ckpt"), trained)


def test_ignores_a_head_beside_a_bare_backbone(tmp_path, trained):
    state = dict(trained.state_dict()) | {"head.weight": torch.zeros(5, 8), "epoch": 7}
    assert_loaded(save(state, tmp_path / "w.pt"), trained)


def test_fills_in_missing_batch_counters(tmp_path, trained):
    state = {n: v for n, v in trained.state_dict().items() if not n.endswith("_tracked")}
    assert_loaded(save(state, tmp_path / "w.pth"), trained)


def test_half_precision_weights_go_into_a_float32_backbone(tmp_path, trained):
    state = {n: v.half() if v.is_floating_point() else v for n, v in trained.state_dict().items()}
    backbone = small()
    load_weights(backbone, save(state, tmp_path / "w.safetensors"))
    assert backbone.fc.weight.dtype == torch.float32
    assert torch.equal(backbone.fc.weight, state["fc.weight"].float())


def test_expands_variables_in_the_path(tmp_path, trained, monkeypatch):
    save(dict(trained.state_dict()), tmp_path / "w.pt")
    monkeypatch.setenv("WEIGHTS_HERE", str(tmp_path))
    assert_loaded("${WEIGHTS_HERE}/w.pt", trained)


def test_misfits_are_counted_and_the_first_five_named(tmp_path):
    path = save(dict(small(embedding_dim=4).state_dict()), tmp_path / "four.pt")
    with pytest.raises(DataError) as caught:
        load_weights(small(depth=34), path)
    message = str(caught.value)
    assert f"{path} does not fit IResNet: " in message
    # IR-34 has eight blocks more than IR-18, each of 18 tensors, three of them counters
    assert re.search(r"120 missing \((\S+, ){4}\S+ and 115 more\)", message)
    assert re.search(r"6 of another shape \(fc.weight \(4, 784\) for \(8, 784\), ", message)
    assert "and 1 more); build the backbone with the settings" in message
    with pytest.raises(DataError, match=r": 144 unexpected \((\S+, ){4}\S+ and 139 more\)"):
        load_weights(small(), save(dict(small(depth=34).state_dict()), tmp_path / "deep.pt"))


def test_a_misfit_leaves_the_backbone_as_it_was(tmp_path):
    backbone = small()
    before = backbone.conv1.weight.clone()
    path = save(dict(small(seed=5, embedding_dim=4).state_dict()), tmp_path / "w.pt")
    with pytest.raises(DataError, match="of another shape"):
        load_weights(backbone, path)
    assert torch.equal(backbone.conv1.weight, before)


class RunsCode:
    def __reduce__(self):
        return os.mkdir, ("/nonexistent/made-by-a-pickle",)


class Settings:
    pass


@pytest.mark.parametrize(
    ("contents", "name"),
    [
        (RunsCode(), r"\w+\.mkdir"),
        ({"state_dict": {}, "hyper_parameters": Settings()}, r"\S+\.Settings"),
        (torch.nn.PReLU(), r"torch\.nn\.\S+\.PReLU"),
    ],
)
def test_a_pickle_that_needs_code_is_refused(tmp_path, contents, name):
    path = save(contents, tmp_path / "w.ckpt")
    with pytest.raises(
        DataError, match=rf"more than tensors \({name}\); .* could run code .* refused"
    ):
        load_weights(small(), path)


def test_a_plain_pickle_that_needs_code_is_refused(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(pickle.dumps({"a": RunsCode()}, protocol=2))
    with pytest.raises(DataError, match="could run code"):
        load_weights(small(), path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_named(tmp_path, trained, suffix, share):
    path = save(dict(trained.state_dict()), tmp_path / f"w{suffix}")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=rf"w{re.escape(suffix)} cannot be read as weights \(.+\)"):
        load_weights(small(), path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_text_under_the_name_of_weights_is_named(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    path.write_text("hello world, this is text\n")
    with pytest.raises(DataError, match="cannot be read as weights"):
        load_weights(small(), path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_folder_is_named(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    path.mkdir()
    with pytest.raises(DataError, match="cannot be read as weights"):
        load_weights(small(), path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"weights file not found: .*absent\.pt"):
        load_weights(small(), tmp_path / "absent.pt")


def test_another_kind_of_file_is_named(tmp_path):
    path = tmp_path / "model.onnx"
    path.touch()
    with pytest.raises(DataError, match=r"expected weights as .*, got '\.onnx'"):
        load_weights(small(), path)


def test_contents_that_are_no_state_dict_are_named(tmp_path):
    path = save([torch.zeros(1)], tmp_path / "w.pt")
    with pytest.raises(DataError, match="expected a state dict, got list"):
        load_weights(small(), path)
