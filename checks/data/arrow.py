"""Arrow columns as numpy arrays and back, without pandas.

`pa.array`, `to_numpy` and `np.asarray` of an Arrow array all import pandas (0.7 s and 50 MB), so the worker goes
through the buffers. Layout: https://arrow.apache.org/docs/format/Columnar.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as one contiguous array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def valid(column: pa.Array | pa.ChunkedArray) -> Bools:
    """True where the column has a value."""
    array = whole(column)
    bitmap = array.buffers()[0]
    if array.null_count == 0 or bitmap is None:
        return np.full(len(array), array.type != pa.null())
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8), count=array.offset + len(array), bitorder="little")
    return bits[array.offset :].view(np.bool_)


def floats(column: pa.Array | pa.ChunkedArray) -> tuple[Floats, Bools]:
    """The column's values as float64, and where there are any; numbers at empty places mean nothing.

    Raises pa.ArrowInvalid or pa.ArrowNotImplementedError for a type that holds no numbers.
    """
    array = whole(column)
    if pa.types.is_boolean(array.type):
        array = pc.cast(array, pa.uint8())
    if array.type != pa.float64():
        array = pc.cast(array, pa.float64(), safe=False)
    buffer = array.buffers()[1]
    if buffer is None or len(array) == 0:
        return np.zeros(len(array)), valid(array)
    values = np.frombuffer(buffer, np.float64, count=array.offset + len(array))
    return values[array.offset :], valid(array)


def spans(column: pa.Array | pa.ChunkedArray, size: int) -> Iterator[npt.NDArray[Any]]:
    """The values that are there (nulls left out, NaN not), at most `size` at a time, in their own type where numpy
    sorts it, else as float64. They may be views: not to be written to.

    Raises pa.ArrowInvalid or pa.ArrowNotImplementedError for a type that holds no numbers.
    """
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        if chunk.null_count == len(chunk):
            continue
        if not (pa.types.is_integer(chunk.type) or pa.types.is_float32(chunk.type)):
            values, present = floats(chunk)
        else:
            kind = np.float32 if pa.types.is_float32(chunk.type) else str(chunk.type)
            values = np.frombuffer(chunk.buffers()[1], kind, count=chunk.offset + len(chunk))[chunk.offset :]
            present = valid(chunk) if chunk.null_count else np.zeros(0, np.bool_)
        for start in range(0, len(values), size):
            part = values[start : start + size]
            part = part[present[start : start + size]] if chunk.null_count else part
            if len(part):
                yield part


def finite(column: pa.Array | pa.ChunkedArray) -> tuple[Floats, int, int, int]:
    """The finite values, and how many were null, NaN and infinite."""
    values, present = floats(column)
    nulls = len(values) - int(np.count_nonzero(present))
    if nulls:
        values = values[present]
    good = np.isfinite(values)
    kept = int(np.count_nonzero(good))
    if kept == len(values):
        return values, nulls, 0, 0
    nans = int(np.count_nonzero(np.isnan(values)))
    return values[good], nulls, nans, len(values) - kept - nans


def encoded(column: pa.Array | pa.ChunkedArray) -> tuple[Codes, list[Any]]:
    """The column as positions in the list of its distinct values; -1 where there is no value."""
    array = whole(column)
    if pa.types.is_null(array.type):
        array = pc.cast(array, pa.string())
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    indices = whole(pc.cast(array.indices, pa.int32()))
    names: list[Any] = array.dictionary.to_pylist()
    buffer = indices.buffers()[1]
    if buffer is None or len(indices) == 0:
        return np.full(len(indices), -1, np.int32), names
    codes = np.frombuffer(buffer, np.int32, count=indices.offset + len(indices))[indices.offset :]
    if indices.null_count:
        codes = np.where(valid(indices), codes, np.int32(-1))
    return codes, names


def tallied(column: pa.Array | pa.ChunkedArray) -> dict[Any, int]:
    """How often each of the column's values is there."""
    found: dict[Any, int] = {}
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        codes, names = encoded(chunk)
        # Places are one up, so that rows without a value are counted first.
        counts = np.bincount(codes + 1, minlength=len(names) + 1)[1:]
        for place in np.flatnonzero(counts).tolist():
            found[names[place]] = found.get(names[place], 0) + int(counts[place])
    return found


def float_array(values: Floats, present: Bools | None = None) -> pa.Array:
    """A float64 column of `values`, null where not `present`."""
    data = np.ascontiguousarray(values, np.float64)
    bitmap = None if present is None or present.all() else pa.py_buffer(_bits(present))
    return pa.Array.from_buffers(pa.float64(), len(data), [bitmap, pa.py_buffer(data)])


def int_array(values: Ints) -> pa.Array:
    """An int64 column without nulls."""
    data = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(data), [None, pa.py_buffer(data)])


def string_array(values: Sequence[str | None]) -> pa.Array:
    """A string column; None becomes null."""
    present = None
    if None in values:
        present = np.array([value is not None for value in values], np.bool_)
        values = [value or "" for value in values]
    text = "".join(values)  # type: ignore[arg-type]
    if text.isascii():
        data, lengths = text.encode(), [len(value) for value in values]  # type: ignore[arg-type]
    else:
        # A lone surrogate has no UTF-8 form and must not cost the other rows.
        parts = [value.encode("utf-8", "replace") for value in values]  # type: ignore[union-attr]
        data, lengths = b"".join(parts), [len(part) for part in parts]
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    bitmap = None if present is None else pa.py_buffer(_bits(present))
    return pa.Array.from_buffers(pa.string(), len(lengths), [bitmap, pa.py_buffer(offsets), pa.py_buffer(data)])


def coded_array(codes: Codes, names: Sequence[str | None]) -> pa.Array:
    """The string column with `names[code]` in each row; null where the code is negative."""
    data = np.ascontiguousarray(codes, np.int32)
    missing = data < 0
    bitmap = pa.py_buffer(_bits(~missing)) if missing.any() else None
    indices = pa.Array.from_buffers(
        pa.int32(), len(data), [bitmap, pa.py_buffer(np.where(missing, 0, data).astype(np.int32))]
    )
    return string_array(names).take(indices)


def dictionary(codes: Codes, names: Sequence[str | None]) -> pa.DictionaryArray:
    """As `coded_array`, without writing the texts out row by row."""
    known = np.array([name is not None for name in names] + [False], np.bool_)
    codes = np.where(known[codes], codes, np.int32(-1)).astype(np.int32)
    missing = codes < 0
    bitmap = pa.py_buffer(_bits(~missing)) if missing.any() else None
    buffers = [bitmap, pa.py_buffer(np.where(missing, 0, codes).astype(np.int32))]
    indices = pa.Array.from_buffers(pa.int32(), len(codes), buffers)
    return pa.DictionaryArray.from_arrays(indices, string_array([name or "" for name in names]))


def is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_text(kind: pa.DataType) -> bool:
    """Of texts, or of places in a list of texts."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _bits(mask: Bools) -> npt.NDArray[np.uint8]:
    return np.packbits(mask, bitorder="little")
