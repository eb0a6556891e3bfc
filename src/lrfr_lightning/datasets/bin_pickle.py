"""The pickle inside an InsightFace ``.bin``, read without running anything it asks for.

A pickle is a program: it may name any function and call it. Here every instruction is looked at
before the first one runs, lengths are held against the length of the file, and the few names that
such a file needs (bytes of Python 2, flat NumPy arrays, NumPy truth values) stand for the plain
classes below, which hold what they are given and do nothing.
"""

import io
import pickle
import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrfr_lightning.utils.errors import DataError

_PLAIN = re.compile(
    r"PROTO|FRAME|STOP|MARK|POP|POP_MARK|NONE|NEWTRUE|NEWFALSE|INT|BININT[12]?|LONG1?"
    r"|STRING|(SHORT_)?BINSTRING|(SHORT_)?BINBYTES|BINBYTES8|BYTEARRAY8|UNICODE|(SHORT_)?BINUNICODE"
    r"|(EMPTY_)?LIST|APPENDS?|(EMPTY_)?TUPLE|TUPLE[123]|(LONG_)?(BIN)?GET|(LONG_)?(BIN)?PUT|MEMOIZE"
    r"|GLOBAL|STACK_GLOBAL|REDUCE|BUILD"
)
MAX_INSTRUCTIONS = 1 << 22
"""Most that are followed, each may make an object; a published set has some 300,000."""

_MEMO = ("PUT", "BINPUT", "LONG_BINPUT")


def restricted_load(data: bytes, path: Path) -> Any:
    """What a pickle of lists, tuples, bytes and NumPy arrays holds; nothing else is read.

    Args:
        data: the whole file.
        path: its name, for errors.

    Returns:
        Python objects, with a :class:`Array` for each NumPy array.

    Raises:
        DataError: it asks for anything else (named), claims lengths it does not have, or is no
            pickle.
    """
    try:
        _check(data, path)
        return _Unpickler(data).load()
    except _RefusedError as error:
        raise DataError(
            f"{path} asks for {error}, which a verification set of images and flags does not need; "
            "loading it could run code and is refused; get the file from its publisher"
        ) from None
    except DataError:
        raise
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DataError(
            f"{path}: expected a pickle of (images, issame), got a file that cannot be read as one "
            f"({reason}); is it complete?"
        ) from None


class _RefusedError(Exception):
    """A name or an instruction outside of what is needed."""


def _check(data: bytes, path: Path) -> None:
    """Look at every instruction: lengths beyond the end of the file are found here."""
    for number, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if number > MAX_INSTRUCTIONS:
            raise DataError(f"{path} has more than {MAX_INSTRUCTIONS} instructions: it is no set")
        if not _PLAIN.fullmatch(opcode.name):
            raise _RefusedError(f"the pickle instruction {opcode.name}")
        if opcode.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            _stand_in(module, name)
        # the reader reserves a place for every number up to the largest
        if opcode.name in _MEMO and int(argument or 0) > len(data):
            raise DataError(f"{path} numbers {argument} objects, it has {len(data)} bytes only")


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="bytes")
        self._left = len(data)

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in of a name, never the thing itself."""
        found = _stand_in(module, name)
        return self._encode if found is _encode else found

    def _encode(self, text: str, encoding: Any) -> bytes:
        """No more than the file is long: one text could be asked for a million times."""
        self._left -= len(text)
        if self._left < 0:
            raise ValueError("it makes more bytes than it has")
        return _encode(text, encoding)

    def persistent_load(self, pid: Any) -> Any:
        """Refused."""
        raise _RefusedError(f"the object {pid!r} outside of the file")


def _text(value: Any) -> str:
    """Python 2 wrote names as bytes."""
    if isinstance(value, bytes):
        return value.decode("ascii")
    if isinstance(value, str):
        return value
    raise TypeError(f"expected a name, got {type(value).__name__}")


class Dtype:
    """Stands for ``numpy.dtype``.

    Attributes:
        code: for example ``u1``.
    """

    def __init__(self, code: Any = "", align: Any = 0, copy: Any = 1) -> None:
        self.code = _text(code).lstrip("|<>=")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Byte order and fields of a type of one byte say nothing."""


@dataclass
class Array:
    """Stands for ``numpy.ndarray``.

    Attributes:
        code: type of the elements, for example ``u1``.
        shape: lengths of the axes.
        data: the elements, one after the other.
    """

    code: str = ""
    shape: tuple[int, ...] = ()
    data: bytes | bytearray = b""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Version, shape, type, whether columns come first, elements."""
        _, shape, dtype, _, data = state
        made = _from_buffer(data, dtype, shape, None)
        self.code, self.shape, self.data = made.code, made.shape, made.data


def _reconstruct(kind: Any, shape: Any, code: Any) -> Array:
    return Array()


def _from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> Array:
    if not isinstance(buffer, bytes | bytearray) or not isinstance(dtype, Dtype):
        raise TypeError(f"an array of {type(buffer).__name__}")
    return Array(dtype.code, tuple(shape), buffer)


def _no_array(*arguments: Any) -> Any:
    """The class is named, never called."""
    raise _RefusedError("an array without elements")


def _scalar(dtype: Any, data: Any) -> bool:
    """A truth value, the only scalar that is needed."""
    if dtype.code not in ("b1", "bool") or len(data) != 1:
        raise _RefusedError(f"a NumPy scalar of type {dtype.code!r}")
    return data not in (b"\0", "\0")


def _encode(text: str, encoding: Any) -> bytes:
    """Bytes, as Python 3 writes them for Python 2."""
    if _text(encoding) != "latin1":
        raise _RefusedError(f"the encoding {encoding!r}")
    return text.encode("latin1")


_NUMPY: dict[str, Callable[..., Any]] = {
    "core.multiarray _reconstruct": _reconstruct,
    "core.multiarray scalar": _scalar,
    "core.numeric _frombuffer": _from_buffer,
    " ndarray": _no_array,
    " dtype": Dtype,
}


def _stand_in(module: str, name: str) -> Callable[..., Any]:
    if (module, name) == ("_codecs", "encode"):
        return _encode
    package, _, rest = module.partition(".")
    # NumPy 2 calls its core _core
    found = _NUMPY.get(f"{rest.removeprefix('_')} {name}") if package == "numpy" else None
    if found is None:
        raise _RefusedError(f"{module}.{name}")
    return found
