"""Which samples are degraded, to what, and that the draws repeat."""

import numpy as np
import pytest
import torch

from lrfr_lightning.functional.resize import BICUBIC, Kernel, degrade
from lrfr_lightning.transforms import CrossResolution, Listed, LogUniform, Uniform
from lrfr_lightning.utils.errors import ConfigError

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 112, 112, 3)).astype(np.uint8)


def images() -> torch.Tensor:
    return torch.from_numpy(PIXELS.copy()).permute(0, 3, 1, 2)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0), (0.25, 16), (0.5, 32), (1.0, 64)])
def test_exact_share_of_every_batch(share: float, expected: int) -> None:
    views = CrossResolution(Listed([7, 14]), share)
    for seed in range(5):
        resolution = views.sample(64, 112, rng(seed))
        assert np.count_nonzero(resolution < 112) == expected
        assert set(resolution[resolution < 112]) <= {7, 14}


def test_drawn_share_is_right_on_average_only() -> None:
    views = CrossResolution(Listed([7]), 0.5, draw="sample")
    counts = [np.count_nonzero(views.sample(64, 112, rng(s)) == 7) for s in range(60)]
    assert len(set(counts)) > 5
    assert abs(np.mean(counts) - 32) < 2


def test_degraded_samples_are_the_kernels_and_others_untouched() -> None:
    down, up = Kernel("bilinear", antialias=False), Kernel("nearest")
    views = CrossResolution(Uniform(6, 40), down=down, up=up)
    sides = views.sample(64, 112, rng())
    made = views.degrade(images(), torch.from_numpy(sides))
    assert list(made) == ["image"]
    faces = made["image"].permute(0, 2, 3, 1).numpy()
    for image, original, side in zip(faces, PIXELS, sides, strict=True):
        assert np.array_equal(image, degrade(original, int(side), down, up))


def test_pairs_keep_the_original_beside_its_copy() -> None:
    views = CrossResolution(Listed([14]), share=1.0, views="pair", down=Kernel("lanczos"))
    made = views.degrade(images(), torch.from_numpy(views.sample(64, 112, rng())))
    assert torch.equal(made["image"], images())
    expected = degrade(PIXELS[3], 14, Kernel("lanczos"), BICUBIC)
    copy = made["image_lr"][3].permute(1, 2, 0).numpy().astype(int)
    assert np.abs(copy - expected).max() <= 1


def test_equal_generators_give_equal_resolutions() -> None:
    views = CrossResolution(LogUniform(6, 32))
    first, second, other = (views.sample(64, 112, rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_distributions() -> None:
    uniform = Uniform(6, 32).sample(20_000, rng())
    logarithmic = LogUniform(6, 24).sample(20_000, rng())
    assert (uniform.min(), uniform.max()) == (6, 32)
    assert uniform.mean() == pytest.approx(19, abs=0.2)
    assert (logarithmic.min(), logarithmic.max()) == (6, 24)
    # each octave is as likely as the next
    assert np.mean(logarithmic < 12) == pytest.approx(0.5, abs=0.06)


def test_bad_settings() -> None:
    with pytest.raises(ConfigError, match=r"expected 0\.\.1, got 1.5"):
        CrossResolution(Listed([7]), share=1.5)
    with pytest.raises(ConfigError, match="low=9, high=8"):
        LogUniform(9, 8)
    with pytest.raises(ConfigError, match="at least 1 px"):
        Listed([0])
    with pytest.raises(ConfigError, match=r"resolution 120 px is larger than the image \(112 px\)"):
        CrossResolution(Uniform(7, 120)).check(112)
    with pytest.raises(ConfigError, match="where: device needs kernels with antialias, got"):
        CrossResolution(Listed([7]), up=Kernel("bicubic", antialias=False), where="device")
