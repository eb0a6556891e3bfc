"""TinyFace: native low-resolution faces from the web, closed-set identification.

Source: Cheng, Zhu, Gong, "Low-Resolution Face Recognition", ACCV 2018.
"""

import numpy as np

from lrfr_lightning.datasets.listed import ListedImages, images_in
from lrfr_lightning.datasets.search import Templates, check_enrolled
from lrfr_lightning.datasets.survface import read_people
from lrfr_lightning.utils.paths import existing

TESTING = "Testing_Set"


def read_tinyface(root: str, distractors: bool = True) -> tuple[ListedImages, Templates, Templates]:
    """The test set; every image is a template of its own.

    Args:
        root: folder that holds ``Testing_Set/``.
        distractors: whether the gallery has the distractors, too.

    Returns:
        All images; the gallery, matches in list order, then distractors by name; the probes.

    Raises:
        DataError: root, lists or images are missing or malformed, or a probe is of nobody in the
            gallery.
    """
    folder = existing(root, "TinyFace root") / TESTING
    probes, wanted = read_people(folder, "Probe", "probe", "probe")
    matches, people = read_people(folder, "Gallery_Match", "gallery", "gallery_match")
    check_enrolled(wanted, people)
    names = images_in(folder / "Gallery_Distractor") if distractors else []
    extra = [f"Gallery_Distractor/{name}" for name in names]
    images = ListedImages(folder, [*probes, *matches, *extra])
    ends = np.cumsum([len(probes), len(matches), len(extra)])
    gallery = Templates.single(np.arange(ends[0], ends[1]), people)
    return (
        images,
        gallery.and_nobody(np.arange(ends[1], ends[2])),
        Templates.single(np.arange(ends[0]), wanted),
    )
