"""How like an image is to many others, in the eyes of a student and of its teacher."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize


def relation(student: Tensor, teacher: Tensor, anchors: Tensor, temperature: float) -> Tensor:
    """Mean over the batch of ``KL(softmax(a·t / T) || softmax(a·s / T))`` over the anchors ``a``.

    After SEED, Fang et al., ICLR 2021, 2101.04731, section 3, which takes a queue of past batches
    for anchors, a temperature for each side, and the cross-entropy: the entropy of the teacher, a
    constant, is taken off here, so that 0 is reached. Where the distance to one target counts every
    direction alike, this one counts those in which other faces lie.

    Args:
        student: ``(B, D)`` float of any precision, embeddings of any length.
        teacher: ``(B, D)``, of the same images.
        anchors: ``(A, D)``, the teacher's embeddings of images, those of the batch or others.
        temperature: T > 0, in units of the cosine.

    Returns:
        Scalar float32, under any autocast (float64 if the student is), ≥ 0.
    """
    dtype = torch.promote_types(student.dtype, torch.float32)
    with torch.autocast(student.device.type, enabled=False):
        anchors = normalize(anchors.to(dtype)) / temperature
        log_wanted = (normalize(teacher.to(dtype)) @ anchors.T).log_softmax(dim=1)
        wanted = log_wanted.exp()
        found = normalize(student.to(dtype)) @ anchors.T
        return cross_entropy(found, wanted) + (wanted * log_wanted).sum(dim=1).mean()
