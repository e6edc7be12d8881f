"""Work on many items with all cores, in order, with few results waiting at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

THREADS = min(len(os.sched_getaffinity(0)), 8)
"""Arrow's decoding and numpy's arithmetic let go of the interpreter, so threads use the cores."""

T = TypeVar("T")
R = TypeVar("R")


def each(work: Callable[[T], R], items: Iterable[T], threads: int = THREADS) -> Iterator[R]:
    """The work on each item, in their order; no more items are under way than there are threads, and one.

    >>> list(each(lambda value: value * 2, [1, 2, 3], 2))
    [2, 4, 6]
    """
    if threads <= 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[R]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
