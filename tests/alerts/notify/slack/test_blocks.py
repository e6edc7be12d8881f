import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.incidents.incident import REPORTS, Acknowledgement, ReportLink, Silencing, Why
from alerts.notify.grafana_link import MODEL_BOARD, SYSTEM_BOARD, board_link
from alerts.notify.slack.blocks import TEXT, payload, plain, reply, section
from alerts.notify.slack.buttons import pressable
from alerts.notify.slack.details import details
from alerts.notify.slack.limits import fits, shrunk
from tests.alerts.builders import HOUR, START, alert, changed, incident
from tests.fakes.slack_blocks import problems


def _texts(message: Any) -> str:
    return str(message["blocks"])


def test_says_what_a_reader_needs() -> None:
    one = alert(
        3.2, summary="{{ labels.feature }} is {{ value }}", action="look", runbook="https://example.org/r?a=1&b=2"
    )
    message = payload(incident(one), Why.FIRST, page="http://127.0.0.1:9797/")
    shown = _texts(message)
    for part in (
        "Firing · delays: feature-drift",
        "distance is 3.2",
        "*Since*\\n2013-05-01T00:00Z",
        "distance psi 3.2 &gt; 0.1",
        "1 firing of 1",
        "*What to do*  look",
        "<https://example.org/r?a=1&amp;b=2|Runbook>",
        "<http://127.0.0.1:9797/|Watchkeeper>",
    ):
        assert part in shown
    assert message["text"].endswith("FIRING warning delays: feature-drift — distance is 3.2")
    assert message["metadata"] == {
        "event_type": "watchkeeper_incident",
        "event_payload": {"incident": "incident-1", "key": "delays/feature-drift", "version": 1, "why": "first"},
    }


GRAFANA = "https://grafana.example.com/team/"


def _boards(message: Any) -> list[str]:
    return re.findall(r"<([^|<>]*)\|Grafana>", message["blocks"][-1]["elements"][0]["text"])


def test_links_the_models_dashboard_with_the_incidents_time_range() -> None:
    opened = replace(incident(alert()), opened_at=START + 2 * HOUR)
    (link,) = _boards(payload(opened, Why.FIRST, grafana=GRAFANA))
    parts = urlsplit(link.replace("&amp;", "&"))
    assert "&amp;from" in link, "& is written as Slack wants it"
    assert (parts.netloc, parts.path) == ("grafana.example.com", "/team/d/watchkeeper-model")
    early = f"{int(START - 6 * HOUR) * 1000}"
    assert parse_qs(parts.query) == {"var-model": ["delays"], "from": [early], "to": ["now"]}

    over, why = changed(opened, [], [alert(ended=(START + HOUR, "cleared"))])
    (link,) = _boards(payload(over, why, grafana=GRAFANA))
    assert over.resolved_at is not None
    shown = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
    assert shown["to"] == [f"{int((over.resolved_at + 6 * HOUR) * 1000)}"], "an end that is known"


def test_links_the_time_of_the_alarm_in_a_replay_and_the_machine_where_there_is_no_model() -> None:
    replayed = replace(incident(alert()), opened_at=START + 3650 * 24 * HOUR)
    shown = parse_qs(urlsplit(board_link(GRAFANA, replayed)).query)
    assert shown["from"] == [f"{int(replayed.opened_at - 6 * HOUR) * 1000}"]
    machine = urlsplit(board_link(GRAFANA, replace(replayed, model="")))
    assert machine.path.endswith("/d/watchkeeper-system")
    assert "var-model" not in machine.query
    shipped = {json.loads(file.read_text("utf-8"))["uid"] for file in Path("grafana/dashboards").glob("*.json")}
    assert {MODEL_BOARD, SYSTEM_BOARD} <= shipped, "the dashboards that are linked to are those that are shipped"


@pytest.mark.parametrize(
    "address", ["", "javascript:alert(1)", "https://g.example/|x>", "https://g.example/" + "a" * 1000]
)
def test_leaves_a_link_to_grafana_out_that_is_none_or_too_long(address: str) -> None:
    message = payload(incident(alert()), Why.FIRST, grafana=address)
    assert "Grafana" not in str(message)
    assert not problems(message["blocks"])


def test_a_models_name_is_quoted_in_the_link_to_grafana() -> None:
    (link,) = _boards(payload(replace(incident(alert()), model="<a>|&b"), Why.FIRST, grafana=GRAFANA))
    assert "var-model=%3Ca%3E%7C%26b&amp;from=" in link


def test_a_resolved_incident_says_until_when_and_how_long() -> None:
    over, why = changed(incident(alert()), [], [alert(ended=(START + HOUR, "cleared"))])
    assert "Resolved · delays" in _texts(payload(over, why))
    assert "*Until*\\n2013-05-01T01:00Z" in _texts(payload(over, why))
    assert "Resolved after 1h: delays: feature-drift" in reply(over, why)["text"]


def test_data_is_escaped_and_never_mentions_anyone() -> None:
    evil = alert(3.2, "<!channel> & <@U1>", summary="<!here> {{ labels.feature }}", runbook="javascript:alert(1)|x")
    seen = incident(evil, alert(1.0, "<!everyone>"))
    for message in (payload(seen, Why.FIRST), plain(seen, Why.FIRST), reply(seen, Why.SEVERITY_ROSE)):
        texts = message["text"] + str(message.get("blocks", ""))
        assert "<!" not in texts
        assert "<@" not in texts
        assert "<javascript" not in texts


def test_a_storm_is_a_few_lines_and_a_number() -> None:
    seen = incident(*[alert(1.0 + index, f"f{index}") for index in range(10_000)])
    message = payload(seen, Why.FIRST)
    assert "+9,990 more" in _texts(message)
    assert problems(message["blocks"]) is None


@pytest.mark.parametrize("letter", ["x", "<", "&", "\N{PILE OF POO}", "\n"])
def test_a_hundred_kilobytes_of_annotation_are_cut(letter: str) -> None:
    long = "a" + letter * 100_000
    seen = incident(alert(3.2, summary=long, action=long, runbook=long), alert(2.0, long))
    message = payload(seen, Why.FIRST, page=long)
    assert problems(message["blocks"]) is None
    assert len(message["text"]) <= TEXT


def test_what_does_not_fit_falls_back_to_text() -> None:
    many = replace(incident(), alerts=tuple(alert(3.2) for _ in range(9)), total=9)
    broken = replace(many.alerts[0], labels={"feature": ""}, metric="", summary="", rule="")
    message = payload(replace(many, alerts=(broken,), model="", group=""), Why.FIRST)
    assert message["text"]
    assert "blocks" not in message or problems(message["blocks"]) is None


JUNK = st.text(max_size=400)


@settings(max_examples=60)
@given(names=st.lists(JUNK, min_size=1, max_size=20), summary=JUNK, action=JUNK, runbook=JUNK, value=st.floats())
def test_whatever_the_data_slack_takes_the_blocks(
    names: list, summary: str, action: str, runbook: str, value: float
) -> None:
    alerts = [
        replace(alert(3.2, name or "x"), summary=summary, action=action, runbook=runbook, worst=value, value=value)
        for name in names
    ]
    message = payload(incident(*alerts), Why.FIRST, page=runbook)
    assert "blocks" in message
    assert fits(message["blocks"])
    assert problems(message["blocks"]) is None


def test_reports_are_linked_under_the_pages_address() -> None:
    link = ReportLink("1f-2e", "weekly <!channel>", START, START + HOUR)
    seen = replace(incident(alert(3.2)), reports=(link,))
    blocks = payload(seen, Why.UPDATED, page="https://watch.example.org/?a=1&b=2/")["blocks"]
    assert fits(blocks)
    assert (
        "*Evidently reports*  <https://watch.example.org/?a=1&amp;b=2/reports/1f-2e|weekly &lt;!channel&gt;, "
        "2013-05-01T00:00Z – 2013-05-01T01:00Z>"
    ) in json.dumps(blocks, ensure_ascii=False)
    for page in ("", "https://x.org|evil>", "https://" + "x" * 400):
        assert "reports/1f-2e" not in json.dumps(payload(seen, Why.UPDATED, page=page))
    many = replace(seen, reports=(replace(link, check="w" * 500),) * REPORTS)
    assert fits(payload(many, Why.UPDATED, page="https://" + "x" * 290)["blocks"])


def test_what_moved_is_told_escaped_and_once() -> None:
    lines = ("distance: 90 % of values now at 1087 or more, 30 % before", "<!here> & co", "c", "d")
    seen = incident(replace(alert(3.2), moved=lines[:2]), replace(alert(1.0, "temp"), moved=lines))
    shown = payload(seen, Why.FIRST)
    (section,) = [block for block in shown["blocks"] if "What moved" in str(block)]
    assert section["text"]["text"].splitlines() == [
        "*What moved*",
        "• distance: 90 % of values now at 1087 or more, 30 % before",
        "• &lt;!here&gt; &amp; co",
        "• c",
    ]
    assert problems(shown["blocks"]) is None
    assert "What moved" not in _texts(payload(incident(alert(3.2)), Why.FIRST))


def test_among_many_alerts_the_worst_segments_are_named() -> None:
    features = [alert(9.0, f"f{place}") for place in range(12)]
    parts = [alert(1.0 + place, segment=f"carrier=c{place}") for place in range(6)]
    shown = _texts(payload(incident(*features, *parts), Why.FIRST))
    assert "Worst segments among them" in shown
    assert [f"carrier=c{place}" in shown for place in range(6)] == [False, False, False, True, True, True]
    assert "Worst segments" not in _texts(payload(incident(*features), Why.FIRST))


def test_what_is_too_large_loses_what_matters_least_first() -> None:
    blocks = [
        (0, section("head")),
        *((rank, section(str(rank) * 2900)) for rank in (1, 2, 3, 4, 4)),
        (0, section("foot")),
    ]
    kept = shrunk(blocks)
    assert [block["text"]["text"][0] for block in kept] == ["h", "1", "2", "3", "4", "f"]
    assert problems(kept) is None
    assert shrunk([(0, section("x" * 2900))] * 5) == [], "what all matters becomes plain text"
    many = shrunk([(0, section("head")), *((1, section(str(place))) for place in range(60))])
    assert (len(many), many[-1]["text"]["text"]) == (50, "48")


def test_the_longest_that_can_be_is_still_laid_out() -> None:
    long = "x" * 5000
    page, runbook = "https://" + "p" * 290, "https://" + "r" * 990
    link = ReportLink("1" * 36, "w" * 500, START, START + HOUR)
    alerts = [
        replace(
            alert(3.2, f"f{place}" + long, segment=f"s={place}"),
            summary=long, action=long, runbook=runbook, moved=(long, long, long), ended=START, firing=place > 12,
        )
        for place in range(30)
    ]  # fmt: skip
    seen = replace(
        incident(*alerts),
        reports=(link,) * REPORTS,
        acknowledged=Acknowledgement(long, 0.0, START),
        silenced=Silencing(long, 0.0, START, ("s",)),
        unwatched_since=START,
        group=long,
    )
    message = payload(seen, Why.FIRST, page, buttons=pressable(replace(seen, acknowledged=None)), calling="<!here>")
    assert problems(message["blocks"]) is None
    kinds = [block["type"] for block in message["blocks"]]
    assert (kinds[0], kinds[-2:]) == ("header", ["context", "actions"]), "the buttons stay"
    assert "What to do" in _texts(message)
    text, blocks = details(seen, page)
    assert problems(blocks) is None
    assert len(text) <= TEXT


def test_a_mark_says_that_nobody_watches() -> None:
    seen = replace(incident(alert(3.2)), unwatched_since=START)
    message = payload(seen, Why.WATCHER_STOPPED)
    assert "*Watcher stopped* <!date^1367366400^" in _texts(message)
    assert "FIRING when the watcher stopped: warning" in message["text"]
    over = payload(replace(seen, resolved_at=START + 60, ended=START + 60), Why.RESOLVED)
    assert "Watcher stopped" not in _texts(over)


def test_details_of_an_alert_without_a_value() -> None:
    from alerts.state.observation import Kind

    silent = replace(alert(3.2), cause=Kind.NO_DATA, value=None, worst=None, text="no rows <!here>")
    _, blocks = details(incident(silent))
    assert "no data (no rows &lt;!here&gt;)" in str(blocks)
    assert problems(blocks) is None
