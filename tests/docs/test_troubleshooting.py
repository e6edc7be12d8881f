"""Who searches the troubleshooting page for a sentence that refuses something finds it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.sentences import Sentence, bare, sentences

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/troubleshooting.md"
REFUSING = (
    *("monitor/web", "monitor/ingest", "monitor/config", "monitor/settings", "monitor/collectors/server"),
    *("monitor/store", "monitor/net", "checks/data", "checks/source", "alerts/secret_file.py"),
    *("monitor/worker", "monitor/daemon", "monitor/collectors/probe"),
    *("alerts/rules", "alerts/incidents", "alerts/duration.py"),
    *(
        "alerts/notify",
        "alerts/wording.py",
        "alerts/template_check.py",
        "monitor/alerting/alertmanager",
        "monitor/alerting/heartbeat.py",
    ),
    *("monitor/alerting/forgotten.py", "monitor/alerting/outage.py"),
    *("monitor/rule_tests", "checks/report", "checks/profile"),
    *("alerts/delivery/mute_times.py", "alerts/delivery/receiver_settings.py"),
)
"""Where what comes in is read. Each text in there of four words or more counts as a sentence that refuses something, as
does one of two words that is raised, unless it stands below: who adds one writes an entry on the page."""
NO_REFUSALS = {
    "alerts/notify/console.py": "the message itself, but what is raised",
    "alerts/notify/slack/blocks.py": "the message itself",
    "checks/data/roles.py": "what check-config says about names of columns",
    "checks/source/text_cells.py": "what was understood of a table",
    "monitor/config/json_schema.py": "descriptions",
    "monitor/store/migrations/versions": "SQL",
    "monitor/store/references/plan.py": "what a model is compared with",
    "monitor/store/results/series.py": "the text beside a chart",
    "monitor/store/tables": "comments of tables",
    "monitor/web/charts.py": "SVG",
    "monitor/web/openapi.py": "descriptions",
    "monitor/web/pages": "the page's own texts, but what is raised",
    "monitor/web/pictures.py": "headers, but what is raised",
    "monitor/web/reports.py": "headers, but what is raised",
}
NO_SENTENCES = {
    # HTTP, and what alerts say about themselves
    "content-type: application/json\r\ncontent-length: …\r\nconnection: close\r\n\r\n",
    "default-src 'none'; style-src 'nonce-…'; script-src 'nonce-…'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "the head is too large",  # answered by another sentence
    "too many requests wait for the one before",  # as well
    "inactive: its label set is not judged any more",
    "Active and coming silences, and past ones if asked for.",
    "…: it holds as before until it ends, then add it anew",
    "…its median of the last ……",
    "…its value one window before…",
    "… is pending or firing",
    # What libraries say, and what no user sees
    "Object missing required field `(.+)`",
    r"In CSV column #(\d+): CSV conversion error",
    "unexpected end of data",
    "select version_num from alembic_version",
    "monitor.config reads the file",
    "nothing in the daemon needs one",
    # What was understood
    "nobody, as it says",
    "the config file itself",
    "nearly all values are",
    "ignored by the config",
    "has no value in the reference",
    "a time, but column … has the name of its part",
    "type … can't be watched",
    "read as CSV with separator …, encoding …, decimal mark …",
    "day of the month",
    "You are on it, until ….",
    "You are on it already, until ….",
    "pressed in Slack on …",
    "Silenced until …; `watchkeeper silence expire` ends it earlier.",
    "… has silenced it already, until ….",
    '<iframe srcdoc="…" sandbox style="width:100%;height:48rem;border:0"></iframe>',
    "watching …; page http://…; alerts go to …",
    "drift goes by …'s definitions over rows: every window reads its own rows and all of the reference's file, "
    "which takes seconds, and memory for both; without checks.drift.preset it takes milliseconds",
}


@cache
def refusals() -> tuple[Sentence, ...]:
    return tuple(_refusals())


def _refusals() -> Iterator[Sentence]:
    for room in REFUSING:
        path = ROOT / room
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            quiet = any(name == left_out or name.startswith(f"{left_out}/") for left_out in NO_REFUSALS)
            yield from sentences(file, least=10_000 if quiet else 4)


def test_each_refusal_stands_on_the_page() -> None:
    page = bare(re.sub(r"<br>| \| ", "\n", PAGE.read_text("utf-8")))
    found = [sentence for sentence in refusals() if sentence.text not in NO_SENTENCES]
    missing = [f"{os.path.relpath(it.where, ROOT)}: {it.text}" for it in found if not it.pattern.search(page)]
    assert not missing, "write what it means and what to do in docs/troubleshooting.md:\n" + "\n".join(missing)
    assert len(found) > 600


def test_what_is_left_out_is_there() -> None:
    texts = {sentence.text for sentence in refusals()}
    assert not NO_SENTENCES - texts, "take these out of NO_SENTENCES"
    assert not [path for path in (*REFUSING, *NO_REFUSALS) if not (ROOT / path).exists()]


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('raise Refused(f"no {name!r} here")', ["no … here"]),
        ('return "this one is returned"', ["this one is returned"]),
        ('log.warning("%s can\'t be read now: %s", a, b)', ["… can't be read now: …"]),
        ('raise Refused("this is " f"one of {n}" if n else "another one")', ["this is one of …", "another one"]),
        ("x = f\"{'this is within the other' if a else b}\"", ["this is within the other"]),
        ('problem("three words only")', []),
        ('def f():\n    """A docstring is no refusal."""', []),
    ],
)
def test_sentences_of_a_source(source: str, texts: list[str], tmp_path: Path) -> None:
    file = tmp_path / "source.py"
    file.write_text(source)
    assert [sentence.text for sentence in sentences(file)] == texts


def test_a_sentence_is_found_on_one_line_with_all_its_fixed_parts() -> None:
    pattern = Sentence("a.py:1", "…: key … is unknown; see `keys`").pattern
    assert pattern.search(bare("| ``key '…' is unknown; see `keys` `` | mend it |"))
    assert not pattern.search(bare("| `key …` is not known; see `keys` |"))
    assert not pattern.search(bare("is unknown; see keys, key"))
    assert not pattern.search(bare("key …\nis unknown; see keys"))
