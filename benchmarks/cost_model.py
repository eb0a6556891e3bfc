"""What a training step costs, computed from its sizes: ``python -m benchmarks.cost_model``.

Nothing here is measured; docs/scaling.md has the formulas and says what they leave out.
"""

import argparse
from dataclasses import dataclass

FLOAT = 4
"""Bytes of a float32: weights, gradients and momentum stay in it under mixed precision."""


@dataclass(frozen=True)
class Step:
    """The sizes of one training step.

    Attributes:
        identities: C.
        batch: B, images per GPU.
        gpus: N.
        dim: D, length of an embedding.
        backbone_gflops: forward pass of one image, 1e9 operations (a product and a sum are two).
        backbone_millions: parameters of the backbone, 1e6.
        sample_rate: r, share of the identities a step compares with; below 1 with ``sharded`` only.
        sharded: PartialFC; otherwise every GPU holds all identities.
    """

    identities: int
    batch: int = 128
    gpus: int = 1
    dim: int = 512
    backbone_gflops: float = 12.6
    backbone_millions: float = 43.6
    sample_rate: float = 1.0
    sharded: bool = False

    @property
    def rows(self) -> int:
        """Identities whose weights a GPU holds, the fullest one's."""
        return -(-self.identities // self.gpus) if self.sharded else self.identities

    @property
    def compared(self) -> int:
        """Rows of a GPU that a step compares with."""
        return round(self.sample_rate * self.rows)

    @property
    def embeddings(self) -> int:
        """Embeddings that a GPU compares with its rows."""
        return self.batch * self.gpus if self.sharded else self.batch

    def backbone_flops(self) -> float:
        """Operations of a GPU in the backbone: forward once, backward twice as much."""
        return 3 * self.batch * self.backbone_gflops * 1e9

    def head_flops(self) -> float:
        """Operations of a GPU in the head's three matrix products, 2 each per multiply-add."""
        return 3 * 2.0 * self.embeddings * self.compared * self.dim

    def head_weight_bytes(self) -> int:
        """Weights, their gradient and SGD's momentum on a GPU; Adam keeps one third more."""
        return 3 * FLOAT * self.rows * self.dim

    def sampled_bytes(self) -> int:
        """The sampled rows, and their gradient before it is put among all rows."""
        return 2 * FLOAT * self.compared * self.dim if self.sample_rate < 1 else 0

    def logit_bytes(self) -> int:
        """One matrix of logits in float32, which becomes the probabilities in place."""
        return FLOAT * self.embeddings * self.compared

    def communication_bytes(self) -> float:
        """What a GPU sends in a step: gradients by a ring, embeddings to all others and back."""
        share = (self.gpus - 1) / self.gpus
        averaged = self.backbone_millions * 1e6
        if not self.sharded:
            return 2 * share * FLOAT * (averaged + self.identities * self.dim)
        exchanged = 2 * share * self.embeddings * self.dim
        return FLOAT * (2 * share * averaged + exchanged)


def table(batch: int, gpus: int, dim: int) -> str:
    """Markdown: dense, sharded and sampled heads from 10 thousand to 100 million identities."""
    lines = [
        "| identities | head | head / backbone, operations | weights + gradient + momentum, GB "
        "| logits, GB | sampled copies, GB | sent per step, GB |",
        "|---|---|---|---|---|---|---|",
    ]
    for identities in (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000):
        for name, sharded, rate in (("dense", False, 1.0), ("sharded", True, 1.0),
                                    ("sharded, rate 0.1", True, 0.1)):  # fmt: skip
            step = Step(identities, batch, gpus, dim, sample_rate=rate, sharded=sharded)
            values = (
                step.head_flops() / step.backbone_flops(),
                step.head_weight_bytes() / 1e9,
                step.logit_bytes() / 1e9,
                step.sampled_bytes() / 1e9,
                step.communication_bytes() / 1e9,
            )
            shown = " | ".join(f"{value:,.2f}" for value in values)
            lines.append(f"| {identities:,} | {name} | {shown} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost_model", description=__doc__)
    parser.add_argument("--batch", type=int, default=128, help="images per GPU")
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--dim", type=int, default=512, help="length of an embedding")
    options = parser.parse_args()
    print(table(options.batch, options.gpus, options.dim))


if __name__ == "__main__":
    main()
