import pytest
import torch

from lrfr_lightning.backbones import TimmBackbone, load_weights
from lrfr_lightning.transforms.pixel_spec import PixelSpec
from lrfr_lightning.utils.errors import ConfigError
from lrfr_lightning.utils.recipe import describe


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "convnext_atto"])
def test_pooled_features_without_an_embedding_dim(name):
    backbone = TimmBackbone(name).eval()
    with torch.no_grad():
        embeddings = backbone(torch.randn(2, 3, 112, 112))
    assert embeddings.shape == (2, backbone.embedding_dim)


def test_embedding_layer_and_neck_with_one():
    backbone = TimmBackbone("mobilenetv3_small_050", embedding_dim=128)
    embeddings = backbone(torch.randn(4, 3, 112, 112))
    assert embeddings.shape == (4, 128)
    assert backbone.embedding_dim == 128
    torch.testing.assert_close(embeddings.mean(dim=0), torch.zeros(128), rtol=0, atol=1e-5)
    assert not backbone.neck.weight.requires_grad


def test_pixels_follow_the_models_own_statistics():
    spec = TimmBackbone("resnet10t").pixel_spec
    assert spec.size == (112, 112)
    assert spec.mean == pytest.approx((123.675, 116.28, 103.53))
    assert spec.std == pytest.approx((58.395, 57.12, 57.375))
    assert spec.channel_order == "RGB"
    assert spec.fit == "crop"


def test_a_fixed_input_is_resized_to():
    backbone = TimmBackbone("vit_tiny_patch16_224", embedding_dim=16).eval()
    assert backbone.pixel_spec.size == (224, 224)
    assert backbone.pixel_spec.fit == "resize"
    images = torch.randint(256, (1, 3, 112, 112), dtype=torch.uint8)
    with torch.no_grad():
        assert backbone(backbone.pixel_spec.normalise(images)).shape == (1, 16)


def test_a_fixed_input_cannot_be_overruled():
    with pytest.raises(ConfigError, match=r"fixed input of \(224, 224\) px, pixel_spec says"):
        TimmBackbone("vit_tiny_patch16_224", pixel_spec=PixelSpec())


def test_own_pixels_are_kept():
    spec = PixelSpec(size=(64, 64), channel_order="BGR")
    backbone = TimmBackbone("resnet10t", pixel_spec=spec).eval()
    assert backbone.pixel_spec is spec
    with pytest.raises(ConfigError, match=r"expected normalised images \(B, 3, 64, 64\)"):
        backbone(torch.zeros(1, 3, 112, 112))


def test_unknown_name_is_answered_with_close_ones():
    with pytest.raises(ConfigError, match=r"no model named 'resnet_18'; close to it: .*resnet18"):
        TimmBackbone("resnet_18")


def test_a_name_close_to_nothing_is_answered_with_the_list():
    with pytest.raises(ConfigError, match=r"no model named 'Ω'; timm.list_models\(\)"):
        TimmBackbone("Ω")


def test_recipe_is_its_arguments():
    recipe = describe(TimmBackbone("resnet10t", embedding_dim=8))
    assert recipe == {
        "class_path": "lrfr_lightning.backbones.timm_adapter.TimmBackbone",
        "init_args": {"name": "resnet10t", "embedding_dim": 8},
    }


def test_published_weights_come_on_request_only(tmp_path, monkeypatch):
    """timm's own loading path, from a file in place of its download."""
    import timm

    donor = timm.create_model("resnet10t", num_classes=1000)
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    create = timm.create_model
    overlay = {"file": str(tmp_path / "w.pth")}
    monkeypatch.setattr(
        timm, "create_model", lambda *a, **k: create(*a, **k, pretrained_cfg_overlay=overlay)
    )
    backbone = TimmBackbone("resnet10t", embedding_dim=8)
    assert not torch.equal(backbone.model.layer1[0].conv1.weight, donor.layer1[0].conv1.weight)
    load_weights(backbone, "timm")
    assert torch.equal(backbone.model.layer1[0].conv1.weight, donor.layer1[0].conv1.weight)


def test_a_model_without_published_weights(monkeypatch):
    import timm

    create, nothing = timm.create_model, {"url": "", "hf_hub_id": None}
    monkeypatch.setattr(
        timm, "create_model", lambda *a, **k: create(*a, **k, pretrained_cfg_overlay=nothing)
    )
    with pytest.raises(ConfigError, match="timm publishes no weights for 'resnet10t'"):
        load_weights(TimmBackbone("resnet10t"), "timm")
