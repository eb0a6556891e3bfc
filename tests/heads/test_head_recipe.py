import functools
from collections.abc import Callable

import pytest
from jsonargparse import ArgumentParser
from paper_margins import EVERY_MARGIN

from lrfr_lightning.heads import ArcFace, CosFace, CosineClassifier, Margin, MarginHead
from lrfr_lightning.utils.recipe import describe


def test_recipe_of_a_partial_builds_the_same_head(monkeypatch):
    # the newer name of instantiate_classes is unknown to older releases
    monkeypatch.setenv("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    partial = functools.partial(
        MarginHead, margin=ArcFace(margin=0.35, gradient="detached"), classifier=CosineClassifier
    )
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--head", type=Callable[[int, int], MarginHead])
    config = parser.parse_object({"head": describe(partial)})
    head = parser.instantiate_classes(config)["head"](8, 5)
    assert isinstance(head, MarginHead)
    assert isinstance(head.margin, ArcFace)
    assert (head.margin.margin, head.margin.scale, head.margin.gradient) == (0.35, 64.0, "detached")
    assert head.classifier.weight.shape == (5, 8)


@pytest.mark.parametrize(("margin", "paper"), EVERY_MARGIN)
def test_every_margin_comes_back_from_its_recipe(margin, paper, monkeypatch):
    monkeypatch.setenv("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--margin", type=Margin)
    config = parser.parse_object({"margin": describe(margin)})
    again = parser.instantiate_classes(config)["margin"]
    assert type(again) is type(margin)
    assert {k: v for k, v in vars(again).items() if isinstance(v, str | float)} == {
        k: v for k, v in vars(margin).items() if isinstance(v, str | float)
    }


def test_recipe_is_plain_data():
    recipe = describe(functools.partial(MarginHead, margin=CosFace(scale=30.0)))
    assert recipe == {
        "class_path": "lrfr_lightning.heads.margin_head.MarginHead",
        "init_args": {
            "margin": {
                "class_path": "lrfr_lightning.heads.cosface.CosFace",
                "init_args": {"scale": 30.0},
            }
        },
    }
