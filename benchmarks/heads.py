"""A head's forward and backward pass beside its three matrix products and its peers."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks import head_peers
from benchmarks.clock import medians
from benchmarks.memory import peak_mb
from benchmarks.row import Row
from lrfr_lightning import heads
from lrfr_lightning.heads import CosineClassifier, Margin, MarginHead

TARGETS = {10_575: 1.4, 100_000: 1.5}
"""Identities, and how many times the three products a step may take."""
MEMORY_TARGET = 330.0
MARGINS = tuple(
    name for name in heads.__all__ if issubclass(getattr(heads, name), Margin) and name != "Margin"
)
LIMIT = "the three matrix products"
Step = Callable[[], object]


def measure(quick: bool) -> list[Row]:
    """Every margin at each number of identities, all cores, float32."""
    batch, dim = (8, 16) if quick else (128, 512)
    counts = {300: 1.4} if quick else TARGETS
    repeats = {classes: 1 if quick else _turns(classes) for classes in counts}
    rows = [
        row
        for classes, target in counts.items()
        for name in MARGINS
        for row in _rows(name, classes, batch, dim, target, repeats[classes])
    ]
    most = max(counts)
    return rows + [_recomputed(most, batch, dim, repeats[most])]


def _turns(classes: int) -> int:
    """More for fewer identities, whose steps are over before a slow moment of the machine is."""
    return max(15, 400_000 // classes)


def our_head(name: str, dim: int, classes: int, recompute: bool = False) -> nn.Module:
    """A margin on a dense classifier."""
    classifier = partial(CosineClassifier, recompute=recompute)
    return MarginHead(dim, classes, getattr(heads, name)(), classifier)


def step_of(head: nn.Module, batch: int, dim: int, classes: int) -> Step:
    """Forward and backward, fresh gradients; a quality is given to those that take one."""
    torch.manual_seed(0)
    embedding = torch.randn(batch, dim).requires_grad_()
    label = torch.randint(classes, (batch,))
    quality = (torch.full((batch,), 12.0),) if isinstance(head, MarginHead) else ()

    def step() -> None:
        head.zero_grad()
        embedding.grad = None
        head(embedding, label, *quality).backward()
        # no step holds the gradient of another while it is measured
        head.zero_grad()

    return step


def bare_products(batch: int, dim: int, classes: int) -> Step:
    """Logits and both gradients, with fresh results: no softmax head can do without."""
    direction, weight = torch.randn(batch, dim), torch.randn(classes, dim)
    gradient = torch.rand(batch, classes)

    def products() -> tuple[Tensor, Tensor, Tensor]:
        return direction @ weight.t(), gradient @ weight, gradient.t() @ direction

    return products


def _rows(name: str, classes: int, batch: int, dim: int, target: float, repeats: int) -> list[Row]:
    """One margin beside the limit, and beside each of its peers."""
    ours = step_of(our_head(name, dim, classes), batch, dim, classes)
    peers = head_peers.peers_of(name, dim, classes)
    seconds = medians({"ours": ours, LIMIT: bare_products(batch, dim, classes)}, repeats)
    # apart from the limit: a peer lets go of a GB, and who comes next asks the kernel for it anew
    steps = {"ours": ours}
    for peer, source in peers.items():
        steps[peer] = step_of(eval(source, vars(head_peers)), batch, dim, classes)
    beside = medians(steps, repeats) if peers else {}
    ratio = seconds["ours"] / seconds[LIMIT]
    memory = _memory(f"our_head('{name}', {dim}, {classes})", classes, batch, dim)
    large = classes >= 100_000
    row = partial(
        Row,
        name=f"head {name}, {classes:,} identities, batch {batch}, {dim} numbers",
        sense="time",
        seconds=seconds["ours"],
        limit=LIMIT,
        ratio_to_limit=ratio,
        memory_mb=memory,
        target=f"≤ {target} x the products" + (f", ≤ {MEMORY_TARGET:.0f} MB" if large else ""),
        met=ratio <= target and (not large or memory <= MEMORY_TARGET),
    )
    if not peers:
        missing = name in ("ArcFace", "CosFace")
        return [row(note="pytorch-metric-learning is not installed" if missing else "")]
    return [
        row(
            peer=peer,
            ratio_to_peer=beside["ours"] / beside[peer],
            peer_memory_mb=_memory(source, classes, batch, dim),
            note=f"the peer takes {beside[peer] / seconds[LIMIT]:.2f} x the products",
        )
        for peer, source in peers.items()
    ]


def _recomputed(classes: int, batch: int, dim: int, repeats: int) -> Row:
    """The price of keeping no logits."""
    head = our_head("ArcFace", dim, classes, recompute=True)
    steps = {
        "ours": step_of(head, batch, dim, classes),
        LIMIT: bare_products(batch, dim, classes),
    }
    seconds = medians(steps, repeats)
    source = f"our_head('ArcFace', {dim}, {classes}, True)"
    return Row(
        name=f"head ArcFace, {classes:,} identities, logits made again in backward",
        sense="time",
        seconds=seconds["ours"],
        limit=LIMIT,
        ratio_to_limit=seconds["ours"] / seconds[LIMIT],
        memory_mb=_memory(source, classes, batch, dim),
    )


def _memory(source: str, classes: int, batch: int, dim: int) -> float:
    """Peak of one step above the weights; the step before it is a small one."""
    module = "benchmarks.heads" if source.startswith("our_head") else "benchmarks.head_peers"
    setup = "\n".join(
        [
            f"import {module} as module",
            "from benchmarks.heads import step_of",
            f"small = eval({source.replace(str(classes), '50')!r}, vars(module))",
            f"step_of(small, {batch}, {dim}, 50)()",
            f"head = eval({source!r}, vars(module))",
            f"step = step_of(head, {batch}, {dim}, {classes})",
        ]
    )
    return peak_mb("step()", setup, torch.get_num_threads())
