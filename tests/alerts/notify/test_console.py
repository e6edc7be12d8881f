import io
from dataclasses import replace

import pytest

from alerts.incidents.incident import Notice, ReportLink, Why
from alerts.notify import NotifyError
from alerts.notify.console import Console, line
from tests.alerts.builders import HOUR, START, alert, changed, incident


def test_a_line_says_what_is_wrong_since_when_and_why_it_is_told() -> None:
    worded = replace(alert(3.2), summary="distance has drifted: PSI 3.2")
    assert line(Notice(incident(worded), Why.FIRST)) == (
        "FIRING    warning   delays  feature-drift  distance has drifted: PSI 3.2  since 2013-05-01T00:00Z  (first)"
    )


def test_without_a_summary_the_numbers_stand() -> None:
    bare = replace(alert(3.2), summary="")
    assert "  distance psi 3.2 > 0.1  since" in line(Notice(incident(bare), Why.FIRST))


def test_a_resolution_says_how_long_it_lasted_and_how_bad_it_was() -> None:
    over, why = changed(incident(alert()), [], [alert(ended=(START + HOUR, "cleared"))])
    assert line(Notice(over, why)) == (
        "RESOLVED  warning   delays  feature-drift  over after 1h; at worst distance psi 3.2 > 0.1  "
        "until 2013-05-01T01:00Z  (resolved)"
    )


def test_several_alerts_are_counted_and_the_machine_is_named() -> None:
    seen = replace(incident(alert(3.2), alert(1.0, "temp")), model="")
    text = line(Notice(seen, Why.FIRST))
    assert "  host  feature-drift  " in text
    assert " (+1 more)  since" in text


def test_news_of_an_alert_is_about_that_alert() -> None:
    fresh = replace(alert(1.0, "temp"), since=START + HOUR, summary="temp is odd")
    text = line(Notice(incident(alert(3.2), fresh), Why.NEW_ALERTS))
    assert "temp is odd (+1 more)  since 2013-05-01T01:00Z  (new_alerts)" in text


def test_what_to_do_stands_below_a_first_message() -> None:
    stream = io.StringIO()
    acting = replace(alert(3.2), action="look at the units")
    Console(stream).send(Notice(incident(acting), Why.FIRST), None)
    assert stream.getvalue().splitlines()[1].strip() == "what to do: look at the units"


def test_data_can_not_break_the_line() -> None:
    text = line(Notice(incident(alert(3.2, "a\nFIRING b\x1b[2J")), Why.FIRST))
    assert "\n" not in text
    assert "\x1b" not in text


def test_writes_a_line_and_says_when_it_can_not() -> None:
    stream = io.StringIO()
    notice = Notice(incident(replace(alert(), action="")), Why.FIRST)
    Console(stream).send(notice, None)
    assert stream.getvalue() == line(notice) + "\n"
    stream.close()
    with pytest.raises(NotifyError) as error:
        Console(stream).send(notice, None)
    assert error.value.retry


def test_the_newest_report_stands_below_the_message() -> None:
    stream = io.StringIO()
    links = tuple(ReportLink(id_, "weekly", START, START + HOUR) for id_ in ("a", "b"))
    Console(stream, "http://127.0.0.1:9797/").send(Notice(replace(incident(alert()), reports=links), Why.FIRST), None)
    assert stream.getvalue().splitlines()[-1].strip() == "report: http://127.0.0.1:9797/reports/b"
