"""Requests of every operation that the OpenAPI document names, as schemathesis makes them: such as the document allows,
and such as it does not. They go to the real application on a real database, in the same process."""

from __future__ import annotations

import json
import logging
import random
import time
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable

from tests.fuzz.inputs import HANG, Part
from tests.monitor.web.rig import Rig, rig

TOGETHER = 10
"""Requests that one input holds at most."""
HEAVY = 4
"""How much more often an operation is asked that takes a body or parameters."""
_MODES = {mode.value: mode for mode in schemathesis.GenerationMode}
_MODELS = ["delays", "delays", "past", "nobody"]
_MATCHERS = [
    "model=delays",
    "rule=~.*",
    'severity!="x", model=past',
    "a=~(",
    {"name": "rule", "value": "²"},
    "\u2028=x",
]
_TIMES = [
    "1h",
    "-1h",
    "0s",
    "1e400",
    "9" * 400 + "d",
    "²s",
    "٣h",
    "",
    3600,
    -1,
    1e308,
    "2023-11-14T23:00:00Z",
    "0000-00-00",
]


def make(random: random.Random) -> bytes:
    """Return which operation is asked, in what mode, and the seed of the requests."""
    chosen = {
        "operation": random.randrange(1 << 20),
        "mode": random.choice(list(_MODES)),
        "seed": random.randrange(1 << 32),
    }
    return json.dumps(chosen).encode()


class Asked(logging.Handler):
    """The application, its operations, and what it logs while it fails."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.ERROR)
        self.rig: Rig = rig(folder)
        self.failed: list[BaseException] = []
        document = schemathesis.openapi.from_dict(self.rig.client.get("/schema/openapi.json").json())
        operations = [found.ok() for found in document.get_all_operations()]
        self.operations = [
            operation for operation in operations for _ in range(HEAVY if _varies(operation) else 1) if operation
        ]
        self.empty: set[tuple[str, str]] = set()
        logging.getLogger("watchkeeper").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an exception that nothing expected."""
        if record.exc_info and record.exc_info[1] is not None:
            self.failed.append(record.exc_info[1])

    def ask(self, case: Any) -> int:
        """Return the status of the answer. Raises what made it one of 500, and AssertionError for one that took
        long."""
        self.failed.clear()
        request = case.as_transport_kwargs(base_url="http://127.0.0.1:9797")
        request.pop("cookies", None)
        if isinstance(request.get("data"), bytes):
            request["content"] = request.pop("data")
        began = time.process_time()
        answer = self.rig.client.request(**request)
        took = time.process_time() - began
        said = f"{case.as_curl_command()}\n{answer.status_code} {answer.text[:500]}"
        if self.failed:
            self.failed[0].add_note(said)
            raise self.failed[0]
        assert answer.status_code < 500, said
        assert took <= HANG, f"{took:.1f} s of the processor: {said}"
        return int(answer.status_code)


def _varies(operation: Any) -> bool:
    return bool(operation.body or operation.path_parameters or operation.query)


@cache
def _asked(folder: Path) -> Asked:
    return Asked(folder)


def take(content: bytes, folder: Path) -> tuple[int, int]:
    """Send the requests; return how many were served and refused."""
    chosen, asked = json.loads(content), _asked(folder)
    operation = asked.operations[chosen["operation"] % len(asked.operations)]
    mode, chance = chosen["mode"], random.Random(chosen["seed"])
    if (operation.label, mode) in asked.empty:
        mode = next(other for other in _MODES if other != mode)
    statuses: list[int] = []
    wrong: list[Exception] = []

    def ask(case: Any) -> None:
        _reach(case, chance)
        try:
            statuses.append(asked.ask(case))
        except Exception as error:  # noqa: BLE001 - raised below, where Hypothesis does not try it again
            wrong.append(error)

    try:
        _tried(chosen["seed"], operation.as_strategy(generation_mode=_MODES[mode]), ask)
    except Unsatisfiable:  # nothing about this operation can be wrong
        asked.empty.add((operation.label, mode))
    if wrong:
        raise wrong[0]
    refused = sum(status >= 400 for status in statuses)
    return len(statuses) - refused, refused


def _tried(seed: int, strategy: Any, ask: Any) -> None:
    quiet = hypothesis.settings(
        max_examples=TOGETHER,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    hypothesis.seed(seed)(quiet(hypothesis.given(strategy)(ask)))()


def _reach(case: Any, chance: random.Random) -> None:
    """Have most requests name a model that there is, and silences matchers and an end, which no schema can tell."""
    if "model" in (case.path_parameters or {}) and chance.random() < 0.8:
        case.path_parameters["model"] = chance.choice(_MODELS)
    if isinstance(case.body, dict) and "matchers" in case.body and chance.random() < 0.8:
        known = {name: value for name, value in case.body.items() if name in ("created_by", "comment", "starts_at")}
        ends = {chance.choice(["duration", "ends_at"]): chance.choice(_TIMES)}
        case.body = {"matchers": chance.sample(_MATCHERS, 2), **known, **ends}


PART = Part("openapi", 1_000, make, take, (), patience=60.0, holds=TOGETHER, limit=20.0)
