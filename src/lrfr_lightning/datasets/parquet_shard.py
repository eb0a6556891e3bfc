"""One Parquet file of encoded images: its columns checked, its row groups read one at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.parquet_pages import PageBounds
from lrfr_lightning.utils.errors import ConfigError, DataError

MAX_GROUP_BYTES = 1 << 31
"""Most bytes in a row group that is read; a group is held in memory whole."""


def pyarrow() -> Any:
    """The module ``pyarrow``, with ``pyarrow.compute`` and ``pyarrow.parquet`` imported.

    Raises:
        ConfigError: it is not installed; says how to.
    """
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError(
            f'Parquet needs pyarrow ({error}); install it: pip install "lrfr_lightning[parquet]"'
        ) from None
    return pyarrow


class Shard:
    """A Parquet file with a column of images and one of labels.

    Attributes:
        path: the file.
        leaf: path of the image bytes in the file: the column, or ``<column>.bytes``.
        rows: int64 ``(G,)``, the rows of each row group.
        group_bytes: bytes of the largest row group, all columns, before compression.
    """

    def __init__(self, path: Path, image_column: str, label_column: str) -> None:
        """Check the columns; no row is read.

        Raises:
            DataError: the file is no Parquet, lacks a column, or a column has another type.
        """
        self.path = path
        self._label_column = label_column
        with self._reading() as file:
            schema = file.schema_arrow
            for column in (image_column, label_column):
                _check_exists(schema, column, path)
            self.leaf = _image_leaf(schema.field(image_column), path)
            _check_label(schema.field(label_column), path)
        self.rows: NDArray[np.int64] = np.array([g.num_rows for g in self._groups()], np.int64)
        self._check_rows()
        self.group_bytes = self._largest_group()

    def __getstate__(self) -> dict[str, Any]:
        found_again = {"_metadata", "_pages"}
        return {name: value for name, value in vars(self).items() if name not in found_again}

    def labels(self) -> tuple[NDArray[np.int64], list[str]]:
        """Position int64 ``(N,)`` in the names, and the distinct names of the shard.

        Raises:
            DataError: a row has no label, or the column cannot be read.
        """
        with self._reading() as file:
            self._pages.check(self._place(self._label_column), range(len(self.rows)))
            column = file.read([self._label_column], use_threads=False).column(0)
            _check_length(column, int(self.rows.sum()), self.path)
            if column.null_count:
                raise DataError(f"{column.null_count} rows of {self.path} have no label")
            if pyarrow().types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            encoded = column.combine_chunks().dictionary_encode()
            names = [str(name) for name in encoded.dictionary.to_pylist()]
        return encoded.indices.to_numpy().astype(np.int64), names

    def images(self, group: int) -> Any:
        """The image bytes of a row group, a pyarrow array of binary.

        Raises:
            DataError: the row group cannot be read.
        """
        # one image under a number of rows: it is held once, not once for each of them
        shared = [self.leaf] if self.rows[group] * self.group_bytes > MAX_GROUP_BYTES else None
        with self._reading(shared) as file:
            self._pages.check(self._place(self.leaf), range(group, group + 1))
            column = file.read_row_group(group, [self.leaf], use_threads=False).column(0)
            _check_length(column, int(self.rows[group]), self.path)
            if pyarrow().types.is_struct(column.type):
                column = pyarrow().compute.struct_field(column, [0])
            return column

    def _groups(self) -> Iterator[Any]:
        return (self._metadata.row_group(i) for i in range(self._metadata.num_row_groups))

    def _check_rows(self) -> None:
        rows, size = sum(self.rows.tolist()), self.path.stat().st_size
        if rows > size or self.rows.min(initial=0) < 0:
            raise DataError(
                f"{self.path} is damaged: it claims {rows} rows of images in {size} bytes"
            )

    def _largest_group(self) -> int:
        # asking for the image column alone would end the process if its metadata is damaged
        sizes = (group.total_byte_size for group in self._groups())
        largest = max(sizes, default=0)
        if largest > MAX_GROUP_BYTES:
            raise DataError(
                f"{self.path} has {largest} bytes in one row group, expected at most "
                f"{MAX_GROUP_BYTES}; write it anew with smaller row groups"
            )
        return largest

    @cached_property
    def _metadata(self) -> Any:
        return pyarrow().parquet.read_metadata(self.path)

    @cached_property
    def _pages(self) -> PageBounds:
        return PageBounds(self.path)

    def _place(self, leaf: str) -> int:
        """Of a column among the leaves of the schema."""
        schema = self._metadata.schema
        return [schema.column(i).path for i in range(len(schema))].index(leaf)

    @contextmanager
    def _reading(self, shared: list[str] | None = None) -> Iterator[Any]:
        """The open file; what Arrow raises becomes a DataError."""
        arrow = pyarrow()
        try:
            options = {"metadata": self._metadata, "read_dictionary": shared}
            with arrow.parquet.ParquetFile(self.path, **options) as file:
                yield file
        except DataError:
            raise
        except (arrow.ArrowException, OSError, ValueError) as error:
            raise DataError(
                f"cannot read Parquet file {self.path}: {error}; copy or download it again"
            ) from None


def _check_exists(schema: Any, column: str, path: Path) -> None:
    if schema.names.count(column) != 1:
        raise DataError(
            f"{path}: expected a column {column!r}, the file has {', '.join(schema.names)}; "
            "set image_column and label_column to two of them"
        )


def _image_leaf(field: Any, path: Path) -> str:
    types = pyarrow().types
    is_struct = types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0
    kind = field.type.field("bytes").type if is_struct else field.type
    if not (types.is_binary(kind) or types.is_large_binary(kind)):
        raise DataError(
            f"{path}: expected encoded images in column {field.name!r} (binary, or a struct with "
            f"binary 'bytes'), it is {field.type}"
        )
    return f"{field.name}.bytes" if is_struct else str(field.name)


def _check_label(field: Any, path: Path) -> None:
    types = pyarrow().types
    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    if not (types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind)):
        raise DataError(
            f"{path}: expected integers or text as labels in column {field.name!r}, "
            f"it is {field.type}"
        )


def _check_length(column: Any, rows: int, path: Path) -> None:
    if len(column) != rows:
        raise DataError(f"{path} is damaged: expected {rows} rows, got {len(column)}")
