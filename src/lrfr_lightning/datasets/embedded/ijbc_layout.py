"""The embedded faces as files in the layout of IJB-C with InsightFace's lists."""

from pathlib import Path

import cv2
import numpy as np

from lrfr_lightning.datasets.embedded.dataset import EmbeddedFaces
from lrfr_lightning.datasets.embedded.native import write_image
from lrfr_lightning.functional.alignment import ARCFACE_TEMPLATE

BORDER = 24
"""What a loose crop has around the aligned face, px."""


def write_ijbc_layout(dataset: EmbeddedFaces, root: str | Path, seed: int = 0) -> None:
    """Write ``loose_crop/``, the pairs of templates and both galleries' lists below ``root``.

    A person's first image is a template of its own, the gallery's; all others are another one, of
    media of two faces each. Half of the people are in either gallery.

    Args:
        dataset: the faces, at least two of each person.
        root: an existing folder.
        seed: draws the impostor pairs, and the detector's scores.
    """
    rng, root = np.random.default_rng(seed), Path(root)
    each, meta = dataset.population.images_per_identity, root / "meta"
    meta.mkdir()
    faces, points = [], []
    for index in range(len(dataset)):
        name, (person, number) = f"{index + 1}.jpg", divmod(index, each)
        image = cv2.copyMakeBorder(
            dataset.image(index), BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE
        )
        write_image(root / "loose_crop" / name, np.asarray(image))
        faces.append(f"{name} {_template(person, number > 0)} {index - (number + 1) % 2}")
        landmarks = " ".join(f"{value:.4f}" for value in (ARCFACE_TEMPLATE + BORDER).ravel())
        points.append(f"{name} {landmarks} {rng.uniform(0.5, 1):.6f}")
    _write(meta / "ijbc_face_tid_mid.txt", faces)
    _write(meta / "ijbc_name_5pts_score.txt", points)
    _write(meta / "ijbc_template_pair_label.txt", _pairs(dataset.num_classes, seed))
    people = np.arange(dataset.num_classes)
    for part, chosen, probe in (("gallery_G1", people % 2 == 0, False),
                                ("gallery_G2", people % 2 == 1, False),
                                ("probe_mixed", people >= 0, True)):  # fmt: skip
        rows = [f"{_template(int(p), probe)},{p + 1},img/{p + 1}.jpg" for p in people[chosen]]
        _write(meta / f"ijbc_1N_{part}.csv", ["TEMPLATE_ID,SUBJECT_ID,FILENAME", *rows])


def _template(person: int, second: bool) -> int:
    return 2 * person + second + 1


def _pairs(people: int, seed: int) -> list[str]:
    """All genuine pairs of templates, and ten times as many impostor pairs, if there are."""
    genuine = [f"{_template(p, False)} {_template(p, True)} 1" for p in range(people)]
    rng = np.random.default_rng([seed, people])
    drawn = rng.integers(0, people, (10 * people, 2))
    others = np.unique(drawn[drawn[:, 0] != drawn[:, 1]], axis=0)
    return genuine + [f"{_template(a, False)} {_template(b, True)} 0" for a, b in others.tolist()]


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n")
