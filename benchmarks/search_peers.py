"""Inputs of the search benchmarks, the bare product, and the field's usual ways, written by us."""

import numpy as np
import torch
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Numbers = NDArray[np.int64]

LENGTH = 512
_ROWS, _COLUMNS = 4096, 1024


def faces(probes: int, gallery: int) -> tuple[Matrix, Numbers, Matrix, Numbers]:
    """Probes, who they show, a gallery of one entry per person, and who that is.

    The probes' cosines with their mates lie between 0 and 0.6, so that ranks lie everywhere. Where
    there are more probes than entries, every other probe is unmated (person -1), near nobody.
    """
    rng = np.random.default_rng(0)
    entries, noise = _unit_rows(rng, gallery), _unit_rows(rng, probes)
    person = rng.integers(0, gallery, probes)
    cosine = rng.uniform(0, 0.6, (probes, 1)).astype(np.float32)
    if probes > gallery:
        cosine[::2] = 0
    for rows in np.array_split(np.arange(probes), -(-probes // _ROWS)):
        near = np.sqrt(1 - cosine[rows] ** 2) * noise[rows]
        noise[rows] = near + cosine[rows] * entries[person[rows]]
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    if probes > gallery:
        person[::2] = -1
    return noise, person, entries, np.arange(gallery)


def _unit_rows(rng: np.random.Generator, rows: int) -> Matrix:
    drawn = rng.standard_normal((rows, LENGTH), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn


def bare_product(probes: Matrix, gallery: Matrix) -> None:
    """Every score once, in blocks, looked at by nobody."""
    out = np.empty((_ROWS, _COLUMNS), np.float32)
    for row in range(0, len(probes), _ROWS):
        left = probes[row : row + _ROWS]
        for column in range(0, len(gallery), _COLUMNS):
            right = gallery[column : column + _COLUMNS]
            np.matmul(left, right.T, out=out[: len(left), : len(right)])


def torch_blocks(probes: Matrix, gallery: Matrix, k: int) -> Numbers:
    """``topk`` of blocks of probes against the whole gallery."""
    left, right = torch.from_numpy(probes), torch.from_numpy(gallery)
    blocks = (left[start : start + 256] for start in range(0, len(left), 256))
    found = [(block @ right.T).topk(min(k, len(gallery)), dim=1).indices for block in blocks]
    return torch.cat(found).numpy()


def full_sort(probes: Matrix, gallery: Matrix, k: int) -> Numbers:
    """The whole score matrix and an argsort of each row, as evaluation scripts have it."""
    return np.argsort(-(probes @ gallery.T), axis=1)[:, :k]


def full_open_set(
    probes: Matrix, person: Numbers, gallery: Matrix, people: Numbers, fpir: float
) -> float:
    """TPIR-20 from the whole score matrix and an argsort of each row."""
    scores = probes @ gallery.T
    order = np.argsort(-scores, axis=1)
    hits = (people[order[:, :20]] == person[:, None]) & (person != -1)[:, None]
    strangers = np.sort(scores[person == -1].max(axis=1))[::-1]
    threshold = strangers[int(fpir * len(strangers))]
    top = np.take_along_axis(scores, order[:, :20], axis=1)
    return float((hits & (top > threshold)).any(axis=1)[person != -1].mean())
