import numpy as np
import pytest

from lrfr_lightning.embedders import RawPixels, evaluate, extract
from lrfr_lightning.functional.controls import apply_control
from lrfr_lightning.functional.resize import BICUBIC, degrade
from lrfr_lightning.protocols import EmbeddedVerification
from lrfr_lightning.utils.errors import ConfigError

FACE = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)


def test_grey_is_luma_in_all_channels():
    grey = apply_control(FACE, "grey")
    luma = FACE @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey - luma[..., None]).max() <= 1
    assert (grey == grey[..., :1]).all()


def test_inner_keeps_the_middle_and_fills_the_rest():
    inner = apply_control(FACE, "inner")
    assert np.array_equal(inner[16:104, 20:92], FACE[16:104, 20:92])
    outside = np.ones((112, 112), bool)
    outside[16:104, 20:92] = False
    assert (inner[outside] == 127).all()


def test_both_and_none():
    both = apply_control(FACE, "grey-inner")
    assert np.array_equal(both, apply_control(apply_control(FACE, "grey"), "inner"))
    assert apply_control(FACE, "none") is FACE


def test_no_cast_gives_all_channels_one_mean():
    warm = (FACE // 2 + np.array([90, 60, 20])).astype(np.uint8)
    neutral = apply_control(warm, "no-cast")
    slow = np.empty_like(warm)
    overall = warm.mean()
    for c in range(3):
        shift = overall - warm[..., c].mean()
        for y, x in np.ndindex(112, 112):
            slow[y, x, c] = min(max(round(float(warm[y, x, c]) + shift), 0), 255)
    np.testing.assert_array_equal(neutral, slow)
    # a shift of whole grey levels leaves up to half a level in each channel
    assert np.ptp(neutral.mean(axis=(0, 1))) < 1 < 60 < np.ptp(warm.mean(axis=(0, 1)))


def test_no_cast_clips_and_leaves_grey_alone():
    split = np.zeros((112, 112, 3), np.uint8)
    split[:56, :, 0] = 255
    neutral = apply_control(split, "no-cast")
    assert set(neutral[..., 0].ravel()) == {0, 170}  # 255 - 85, and -85 clipped
    assert (neutral[..., 1] == 42).all()  # halves to even
    grey = apply_control(FACE, "grey")
    assert np.array_equal(apply_control(grey, "no-cast"), grey)


def test_an_unknown_control_is_refused_when_the_protocol_is_made():
    with pytest.raises(ConfigError, match="control: expected one of .*grey.* got 'gray'"):
        EmbeddedVerification(20, 2, 2, control="gray")


def test_a_protocol_takes_it_before_degrading_and_says_so():
    protocol = EmbeddedVerification(20, 2, 2, resolutions=(14,), control="grey-inner")
    embedding = extract(RawPixels(), protocol)[14][3]
    face = apply_control(protocol.images.image(3), "grey-inner")
    pixels = degrade(face, 14, BICUBIC, BICUBIC).transpose(2, 0, 1).ravel() / 127.5
    np.testing.assert_allclose(embedding, pixels - pixels.mean(), atol=1e-5)
    assert {result.control for result in evaluate(RawPixels(), protocol)} == {"grey-inner"}
