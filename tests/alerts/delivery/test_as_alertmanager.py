"""The real Alertmanager beside ours: which matchers it takes, what they match, and what is inhibited."""

from __future__ import annotations

import json
import random
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.delivery.routing import Inhibition
from alerts.incidents.matcher import Matcher
from tests.alerts.incidents.test_matcher import CLASSIC, CLASSIC_REFUSED
from tests.e2e.process import wait_for
from tests.servers.alertmanager import Alertmanager

RULES = [
    Inhibition(source=["s=1"], target=["t=1"], equal=["world", "e"]),
    Inhibition(source=["s!="], target=["t=~2|3", "f="], equal=["world", "e", "f"]),
    Inhibition(source=['s=~"[23]"'], target=["s!=2"], equal=["world"]),
]
ALERTS = [
    {name: value for name, value in (("s", s), ("t", t), ("e", e), ("f", f)) if value}
    for s in ("", "1", "2")
    for t in ("", "1", "2")
    for e in ("", "1")
    for f in ("", "1")
]
LABELS = {
    "one": {"foo": "bar", "quote": 'say "x"', "path": "a\\b", "code": "503"},
    "two": {"foo": "bar}", "code": "404", "lines": "temp\nout"},
    "three": {"foo": "BAR", "lines": "temp, out", "code": "5"},
}
TEXTS = [
    *("foo=bar", 'foo="bar"', "foo!=bar", "foo=~bar.*", "foo!~bar.*", 'foo=~"(?i)bar"', "foo=", "foo!="),
    *('code=~"5.."', "code=~5", "code=~^5|4.*$", "code!~.+", r'quote="say \"x\""', r'path="a\\b"', r"path=a\b"),
    *(r"path=~a\\b", r'path=~"a\\\\b"', r'lines="temp\nout"', "lines='temp'", 'lines="temp, out"', r"lines=~temp\n.*"),
    *("lines=~(?s)temp.out", "gone=~.*", "gone!~.*", "gone=~.+", 'code=~"[0-9]{3}"', "code=~(", "=x"),
    *("code=~(?=5)", "code=~(?P<n>5)", "code=~(?P<n>5", r"code=~\d+", r"code=~(.)\1", r"code=~\Z", 'code=~"5{1001}"'),
]


def _worlds() -> list[dict[str, str]]:
    """Alerts in worlds of their own, a few in each."""
    chosen = random.Random(7)
    return [
        {"alertname": f"a{world}-{place}", "world": str(world), **labels}
        for world in range(60)
        for place, labels in enumerate(chosen.sample(ALERTS, chosen.randint(1, 5)))
    ]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    rules = [{"source_matchers": rule.source, "target_matchers": rule.target, "equal": rule.equal} for rule in RULES]
    folder: Path = tmp_path_factory.mktemp("alertmanager")
    with Alertmanager(folder, config=f"\ninhibit_rules: {json.dumps(rules)}\n") as server:
        named = [{"alertname": name, **labels} for name, labels in LABELS.items()]
        body = json.dumps([{"labels": labels} for labels in (*_worlds(), *named)]).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{server.url}/api/v2/alerts", body, headers), timeout=30
        ) as reply:
            assert reply.status == 200
        yield server


def _held(server: Alertmanager, *filters: str) -> dict[str, Any] | None:
    """The alerts that it holds and that these matchers match; None where it refuses one."""
    query = urllib.parse.urlencode([("filter", text) for text in filters])
    try:
        with urllib.request.urlopen(f"{server.url}/api/v2/alerts?{query}", timeout=30) as reply:
            return {alert["labels"]["alertname"]: alert for alert in json.load(reply)}
    except urllib.error.HTTPError as error:
        assert error.code == 400, error
        return None


def test_what_is_inhibited_is_what_alertmanager_inhibits(real: Alertmanager) -> None:
    worlds = _worlds()
    ours = {labels["alertname"] for labels in worlds if any(rule.holds_back(labels, worlds) for rule in RULES)}
    assert 20 < len(ours) < len(worlds) - 20, "both happen"

    def theirs() -> set[str]:
        found = (_held(real, "world!=") or {}).values()
        return {alert["labels"]["alertname"] for alert in found if alert["status"]["inhibitedBy"]}

    wait_for(lambda: theirs() == ours, "Alertmanager inhibits the same alerts", 20)


def test_a_matcher_is_taken_and_matches_as_alertmanager_has_it(real: Alertmanager) -> None:
    wait_for(lambda: len(_held(real, "world=") or {}) == len(LABELS), "Alertmanager holds the alerts", 20)
    differ = []
    for text in TEXTS:
        theirs = _held(real, "world=", text)
        try:
            matchers: tuple[Matcher, ...] | None = Matcher.parse_all(text)
        except ValueError:
            matchers = None
        if matchers is None or theirs is None:
            ours = None if matchers is None else {}
        else:
            ours = {name: labels for name, labels in LABELS.items() if all(m.matches(labels) for m in matchers)}
        if (None if ours is None else set(ours)) != (None if theirs is None else set(theirs)):
            differ.append((text, ours, theirs))
    assert [text for text, _, _ in differ] == [], differ


def test_the_classic_table_is_what_the_real_one_takes(real: Alertmanager) -> None:
    single = [text for text, parts in CLASSIC.items() if len(parts) == 1 and "{" not in text and text[-1:] != ","]
    assert [text for text in single if _held(real, text.strip()) is None] == []
    # A filter is one matcher, and never several with commas between them.
    refused = [text for text in CLASSIC_REFUSED if ",," not in text]
    assert [text for text in refused if _held(real, text) is not None] == []
