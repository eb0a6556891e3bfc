"""A trained resolver of ours as a stage before a recogniser."""

import torch
from torch import Tensor

from lrfr_lightning.preprocessing.resolver_network import ResolverNetwork
from lrfr_lightning.preprocessing.super_resolver import SuperResolver, enlarged
from lrfr_lightning.utils.errors import DataError
from lrfr_lightning.utils.fingerprint import fingerprint_of, module_bytes
from lrfr_lightning.utils.paths import existing
from lrfr_lightning.utils.rebuild import read_checkpoint, rebuild


class CheckpointResolver(SuperResolver):
    """A checkpoint of ``SuperResolutionTask``; the network is read from it.

    Args:
        path: the ``.ckpt`` file.
        name: the resolver's name in results; by default the file's.

    Raises:
        DataError: no such file, or it is no checkpoint of a resolver.
    """

    def __init__(self, path: str, name: str | None = None) -> None:
        file = existing(path, "resolver checkpoint")
        checkpoint = read_checkpoint(file)
        network = rebuild(file, checkpoint, ResolverNetwork, "resolver")
        if network is None:
            raise DataError(
                f"{file} holds no resolver: expected a checkpoint of SuperResolutionTask "
                "(lrfr fit --config experiments/lfw/resolver.yaml makes one)"
            )
        prefix = "resolver."
        tensors = checkpoint.get("state_dict", {})
        try:
            own = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
            network.load_state_dict(own)
        except (AttributeError, RuntimeError) as error:
            raise DataError(f"{file}: its weights do not fit its resolver: {error}") from None
        self.network = network.eval()
        self.name = name or file.stem

    @torch.inference_mode()
    def restore(self, faces: Tensor) -> Tensor:
        """Faces ``(B, 3, H, W)`` → float32 ``(B, 3, 112, 112)``, see :class:`SuperResolver`."""
        device = next(self.network.parameters()).device
        pixels = enlarged(faces.to(device)).contiguous(memory_format=torch.channels_last)
        restored: Tensor = self.network(pixels)
        return restored.clamp(0, 255)

    def to(self, device: torch.device) -> None:
        """Move the network to a device."""
        self.network.to(device)

    def fingerprint(self) -> str:
        """Network and weights."""
        return fingerprint_of(repr(self.network), module_bytes(self.network))
