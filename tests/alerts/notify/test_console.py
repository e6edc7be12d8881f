import io
from dataclasses import replace

import pytest

from alerts.incident import Notice, Why
from alerts.notify import NotifyError
from alerts.notify.console import Console, line
from tests.alerts.builders import HOUR, START, alert, changed, incident


def test_a_line_says_what_is_wrong_since_when_and_why_it_is_told() -> None:
    assert line(Notice(incident(alert(3.2)), Why.FIRST)) == (
        "FIRING    warning   delays  feature-drift  distance psi 3.2 > 0.1 since 2013-05-01T00:00Z  (first)"
    )


def test_a_resolution_says_until_when() -> None:
    over, why = changed(incident(alert()), [], [alert(ended=(START + HOUR, "cleared"))])
    assert line(Notice(over, why)) == (
        "RESOLVED  warning   delays  feature-drift  distance psi 3.2 > 0.1 since 2013-05-01T00:00Z "
        "until 2013-05-01T01:00Z  (resolved)"
    )


def test_several_alerts_are_counted_and_the_machine_is_named() -> None:
    seen = replace(incident(alert(3.2), alert(1.0, "temp")), model="")
    assert "  host  feature-drift  distance psi 3.2 > 0.1 (+1 more) since" in line(Notice(seen, Why.FIRST))


def test_news_of_an_alert_is_about_that_alert() -> None:
    fresh = replace(alert(1.0, "temp"), since=START + HOUR)
    text = line(Notice(incident(alert(3.2), fresh), Why.NEW_ALERTS))
    assert "temp psi 1 > 0.1 (+1 more) since 2013-05-01T01:00Z  (new_alerts)" in text


def test_data_can_not_break_the_line() -> None:
    text = line(Notice(incident(alert(3.2, "a\nFIRING b\x1b[2J")), Why.FIRST))
    assert "\n" not in text
    assert "\x1b" not in text


def test_writes_a_line_and_says_when_it_can_not() -> None:
    stream = io.StringIO()
    notice = Notice(incident(), Why.FIRST)
    Console(stream).send(notice, None)
    assert stream.getvalue() == line(notice) + "\n"
    stream.close()
    with pytest.raises(NotifyError) as error:
        Console(stream).send(notice, None)
    assert error.value.retry
