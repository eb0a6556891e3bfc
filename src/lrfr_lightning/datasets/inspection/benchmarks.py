"""Low-resolution benchmarks: folders and lists, against the published numbers of images.

Sources: Cheng et al., "Surveillance Face Recognition Challenge", 1804.09691; Cheng et al.,
"Low-Resolution Face Recognition" (TinyFace), ACCV 2018, 1811.08965; Grgic et al., "SCface",
Multimedia Tools and Applications 2011; Whitelam et al. (IJB-B), CVPRW 2017; Maze et al. (IJB-C),
ICB 2018.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lrfr_lightning.datasets.inspection.inventory import (
    FileImages,
    Inventory,
    Layout,
    image_files,
)

_SURVFACE = "Face_Identification_Test_Set", "Face_Verification_Test_Set"
_DISTANCE = "surveillance_cameras_distance_"

_FOLDERS: dict[str, dict[str, int | None]] = {
    "QMUL-SurvFace": {
        f"{_SURVFACE[0]}/gallery": 60294,
        f"{_SURVFACE[0]}/mated_probe": 60423,
        f"{_SURVFACE[0]}/unmated_probe": 121736,
        f"{_SURVFACE[1]}/verification_images": None,
    },
    "SCface": {
        "mugshot_frontal_cropped_all": 130,
        f"{_DISTANCE}1": 910,
        f"{_DISTANCE}2": 910,
        f"{_DISTANCE}3": 910,
    },
    "TinyFace": {
        "Testing_Set/Probe": 3728,
        "Testing_Set/Gallery_Match": 4443,
        "Testing_Set/Gallery_Distractor": 153428,
    },
    "IJB-B": {"loose_crop": 227630},
    "IJB-C": {"loose_crop": 469375},
}
_LISTS = {
    "QMUL-SurvFace": (
        f"{_SURVFACE[0]}/gallery_img_ID_pairs.mat",
        f"{_SURVFACE[0]}/mated_probe_img_ID_pairs.mat",
        f"{_SURVFACE[1]}/positive_pairs_names.mat",
        f"{_SURVFACE[1]}/negative_pairs_names.mat",
    ),
    "SCface": (),
    "TinyFace": (
        "Testing_Set/probe_img_ID_pairs.mat",
        "Testing_Set/gallery_match_img_ID_pairs.mat",
    ),
    "IJB-B": ("meta/ijbb_face_tid_mid.txt", "meta/ijbb_template_pair_label.txt"),
    "IJB-C": ("meta/ijbc_face_tid_mid.txt", "meta/ijbc_template_pair_label.txt"),
}
_OWN = {
    "QMUL-SurvFace": _SURVFACE,
    "SCface": ("mugshot_frontal_cropped_all", f"{_DISTANCE}1"),
    "TinyFace": ("Testing_Set/Gallery_Match", "Testing_Set/Gallery_Distractor"),
    "IJB-B": ("meta/ijbb_face_tid_mid.txt",),
    "IJB-C": ("meta/ijbc_face_tid_mid.txt",),
}


def _lies_at(own: tuple[str, ...], root: Path) -> bool:
    return any((root / name).exists() for name in own)


def _take(folders: Mapping[str, int | None], lists: tuple[str, ...], root: Path) -> Inventory:
    """All images of the folders, by folder; lists are looked for and not read."""
    names = {folder: image_files(root / folder) for folder in folders}
    absent = [name for name in (*folders, *lists) if not (root / name).exists()]
    return Inventory(
        images=FileImages(root, [f"{folder}/{n}" for folder in names for n in names[folder]]),
        found={f"images in {folder}": len(own) for folder, own in names.items()},
        published={f"images in {name}": count for name, count in folders.items() if count},
        absent=absent,
    )


BENCHMARKS = [
    Layout(name, partial(_lies_at, _OWN[name]), partial(_take, folders, _LISTS[name]))
    for name, folders in _FOLDERS.items()
]
