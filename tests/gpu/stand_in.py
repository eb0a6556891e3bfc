"""A device made of CPU tensors: what the code does on a GPU, seen without one.

Its tensors are none of the CPU's to whoever asks, and an operation on one of each is refused, as on
a GPU. The numbers are the CPU's own. It cannot show what a GPU's kernels, streams, memory or
precisions do; for that there are the tests marked ``gpu``, which run the same checks.

``install`` changes torch for good: to be called in a process of its own.
"""

from contextlib import nullcontext
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.accelerators import Accelerator
from pytorch_lightning.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.utils import backend_registration
from torch.utils._pytree import tree_flatten, tree_map

NAME = "standin"
_BOTH_SIDES = {"_to_copy", "copy_"}  # what copies from one device to the other
_INDEXED = {"index", "index_put", "index_put_", "_index_put_impl_"}
_WAITS = {"nonzero", "_local_scalar_dense", "_unique2", "masked_select", "bincount"}

waits: list[str] = []
"""Operations so far that a GPU has to finish all its work for, before Python goes on."""

_WITHOUT_TENSORS = torch.library.Library("_", "IMPL")  # operations that make one from nothing


class StandIn(Tensor):
    """A tensor on the device; its numbers are those of ``inner``."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> "StandIn":
        made = torch.Tensor._make_wrapper_subclass(
            cls, inner.size(), strides=inner.stride(), storage_offset=inner.storage_offset(),
            dtype=inner.dtype, device=torch.device(NAME, 0),
        )  # fmt: skip
        made.inner = inner
        return made

    def __repr__(self, **_: Any) -> str:
        return f"StandIn({self.inner})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func, *args, **(kwargs or {}))


def _call(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Compute on the CPU, and put the results where they belong."""
    name = func.overloadpacket.__name__
    tensors = [leaf for leaf in tree_flatten((args, kwargs))[0] if isinstance(leaf, Tensor)]
    ours = {id(tensor.inner): tensor for tensor in tensors if isinstance(tensor, StandIn)}
    # indices of a tensor on a GPU may lie on the CPU, those of the CPU's may not lie on a GPU
    free = args[1] if name in _INDEXED and isinstance(args[0], StandIn) else ()
    others = [t for t in tensors if not isinstance(t, StandIn) and t.ndim > 0]
    others = [t for t in others if not any(t is index for index in free)]
    if ours and others and name not in _BOTH_SIDES:
        raise RuntimeError(f"{name}: expected all tensors on one device, got {NAME} and cpu")
    if ours and (name in _WAITS or any(_mask(index) for index in free)):
        waits.append(name)
    device = kwargs.get("device")
    here = bool(ours) if device is None else torch.device(device).type == NAME
    if name == "copy_":
        here = isinstance(args[0], StandIn)
    result = func(*tree_map(_inner, args), **tree_map(_inner, kwargs))

    def placed(value: Any) -> Any:
        if not (here and isinstance(value, Tensor)):
            return value
        # what an operation changes in place stays the same object
        return ours[id(value)] if id(value) in ours else StandIn(value)

    return tree_map(placed, result)


def _mask(index: Any) -> bool:
    return isinstance(index, StandIn) and index.dtype == torch.bool


def _inner(value: Any) -> Any:
    if isinstance(value, StandIn):
        return value.inner
    return torch.device("cpu") if isinstance(value, torch.device) else value


class _Module(backend_registration._DummyBackendModule):
    """What torch asks of a device for autocast; it is off, as for float32."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]

    def is_autocast_enabled(self) -> bool:
        return False


class StandInAccelerator(Accelerator):
    """One such device, for Lightning's trainer."""

    def setup_device(self, device: torch.device) -> None:
        pass

    def get_device_stats(self, device: Any) -> dict[str, Any]:
        return {}

    def teardown(self) -> None:
        pass

    @staticmethod
    def parse_devices(devices: Any) -> Any:
        return devices

    @staticmethod
    def get_parallel_devices(devices: Any) -> list[torch.device]:
        return [torch.device(NAME, 0)] * int(devices)

    @staticmethod
    def auto_device_count() -> int:
        return 1

    @staticmethod
    def is_available() -> bool:
        return True

    @staticmethod
    def name() -> str:
        return NAME


def trainer(**arguments: Any) -> pl.Trainer:
    """A trainer on the device."""
    strategy = SingleDeviceStrategy(device=torch.device(NAME, 0))
    return pl.Trainer(accelerator=StandInAccelerator(), strategy=strategy, **arguments)


def install() -> torch.device:
    """Make the device known to torch."""
    backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=_Module())
    _WITHOUT_TENSORS.fallback(_call, "PrivateUse1")
    _copy_what_python_holds()
    _have_cpu_generators()
    # such a tensor, made in inference mode, cannot even be detached outside of it
    torch.inference_mode = lambda mode=True: torch.no_grad() if mode else nullcontext()
    return torch.device(NAME, 0)


def _copy_what_python_holds() -> None:
    """Lists become tensors by way of the CPU: torch's own way there leads past Python."""
    tensor, as_tensor, item = torch.tensor, torch.as_tensor, Tensor.__getitem__

    def made(data: Any, *, device: Any = None, **options: Any) -> Tensor:
        return tensor(data, **options).to(device or "cpu")

    def as_made(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
        if isinstance(data, Tensor):
            return data.to(device=device or data.device, dtype=dtype or data.dtype)
        return as_tensor(data, dtype=dtype).to(device or "cpu")

    def like(self: Tensor, data: Any, dtype: Any = None, device: Any = None) -> Tensor:
        return tensor(data, dtype=dtype or self.dtype).to(device or self.device)

    def of_list(self: Tensor, key: Any) -> Tensor:
        return item(self, tensor(key) if isinstance(key, list) else key)

    torch.tensor, torch.as_tensor, Tensor.new_tensor = made, as_made, like
    Tensor.__getitem__ = of_list
    listed = Tensor.tolist
    Tensor.tolist = lambda self: listed(self.cpu())


def _have_cpu_generators() -> None:
    class Generator(torch.Generator):
        def __new__(cls, device: Any = "cpu") -> Any:
            return super().__new__(cls, "cpu")

    torch.Generator = Generator
