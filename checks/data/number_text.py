"""Columns of texts that are numbers but for odd cells: they are numeric, and the odd cells are of another type."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.data.arrow import Bools, Codes, Floats, coded_array, encoded, float_array, floats, is_text
from checks.data.canonical_text import read_number

FEWEST = 0.9
"""The least share of numbers among the cells of a numeric column."""
CODES = 20
"""So few different whole numbers beside texts that come again and again are names of things (1, 2, 3, A),"""
AGAIN = 0.01
"""if the texts are more than this share."""
_MARK = {b"watchkeeper": b"numbers"}


def mark(field: pa.Field) -> pa.Field:
    """Return the field, marked as one whose texts are numbers but for odd cells. Readers that find out types by
    themselves (CSV, JSON lines, pandas objects) mark it; a file that states its types is believed."""
    return field.with_metadata(_MARK)


def is_marked(field: pa.Field) -> bool:
    """Return whether a reader found numbers in this column of texts."""
    return is_text(field.type) and (field.metadata or {}).get(b"watchkeeper") == b"numbers"


def are_numbers(numbers: int, odd: int, distinct_whole: int | None) -> bool:
    """Return whether so many numbers and odd cells are a numeric column. `distinct_whole`: how many different numbers
    there are, if all are whole and few.

    >>> are_numbers(1999, 1, None), are_numbers(95, 5, 3), are_numbers(80, 20, None)
    (True, False, False)
    """
    share = numbers / max(numbers + odd, 1)
    if distinct_whole is not None and distinct_whole <= CODES and 1 - share > AGAIN:
        return False
    return share >= FEWEST


def numbers_of_text(column: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, pa.Array | None]:
    """Return the numbers that texts spell (null where they spell none), and the odd texts; None where there are
    none."""
    codes, texts = encoded(column)
    numbers = [None if word is None else read_number(word) for word in texts]
    held: Bools = np.array([number is not None for number in numbers] + [False], np.bool_)[codes]
    values: Floats = np.array([0.0 if number is None else number for number in numbers] + [0.0])[codes]
    return float_array(values, held), _odd(codes, held, texts, numbers)


def _odd(codes: Codes, held: Bools, texts: list[str], numbers: list[float | None]) -> pa.Array | None:
    if not ((codes >= 0) & ~held).any():
        return None
    odd = [None if number is not None else word for word, number in zip(texts, numbers, strict=True)]
    return coded_array(codes, odd)


def numbers_of(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the column as float64, whether it holds numbers, texts of them, or places in a list of either; null where
    there is no number."""
    if is_text(column.type):
        return numbers_of_text(column)[0]
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    return float_array(*floats(column))
