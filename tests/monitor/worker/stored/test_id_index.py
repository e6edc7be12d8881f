from __future__ import annotations

import random

import numpy as np
import pytest

from checks.data.arrow import string_array
from checks.data.ids import hash_ids
from monitor.worker.stored import id_index
from monitor.worker.stored.id_index import NOWHERE, IdIndex, first_in_reach, positions
from monitor.worker.tasks import compact
from tests.monitor.worker.log import HOUR, START, Log, Prediction

FIRST = round(START / HOUR)


@pytest.mark.parametrize("cached", [0, 8_000_000])
def test_finds_ids_wherever_their_chunks_are(log: Log, monkeypatch: pytest.MonkeyPatch, cached: int) -> None:
    monkeypatch.setattr(id_index, "CACHED_HASHES", cached)
    chosen = random.Random(3)
    known = IdIndex(log.engine, log.model, HOUR)
    windows: dict[str, int] = {}
    for portion in range(12):
        fresh = {f"{portion}.{number}": FIRST + chosen.randint(0, 3) for number in range(chosen.randint(1, 40))}
        log.predict(*(Prediction(id_, window * HOUR) for id_, window in fresh.items()))
        log.scan()
        compact(log.url, log.model, 1 << 40, log.options)
        for window in set(fresh.values()):
            known.add(window, hash_ids([id_ for id_, own in fresh.items() if own == window]))
        windows |= fresh
        asked = [*windows, "nobody"]
        hashes = hash_ids(asked)
        assert known.latest(hashes).tolist() == [*windows.values(), NOWHERE]
        here = np.full(len(asked), FIRST + 1)
        near = [abs(window - FIRST - 1) <= 1 for window in windows.values()]
        assert known.seen(string_array(asked), hashes, here, 1).tolist() == [*near, False]


def test_the_first_of_an_id_hides_the_others_within_reach() -> None:
    ids = ["a", "b", "a", "a", "b", "a"]
    windows = np.array([0, 0, 1, 2, 9, 3])
    candidates = np.array([True, False, True, True, True, True])
    kept = first_in_reach(string_array(ids), hash_ids(ids), windows, candidates, 1)
    assert kept.tolist() == [True, False, False, True, True, False]


def test_positions_are_those_of_the_first_match() -> None:
    assert positions(string_array(["b", "x", "a"]), string_array(["a", "b", "b"])).tolist() == [1, -1, 0]
