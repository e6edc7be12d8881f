import json
from dataclasses import replace

from alerts.incidents.incident import KEPT, Incident, Why
from alerts.incidents.lifecycle import seen_of, why_owed
from alerts.rules.rule import Severity
from alerts.state.observation import Kind
from tests.alerts.builders import HOUR, START, alert, changed, incident

END = (START + HOUR, "cleared")


def test_opens_with_the_first_alert() -> None:
    opened = incident(alert())
    assert (opened.version, opened.firing, opened.total, opened.severity) == (1, 1, 1, Severity.WARNING)
    assert opened.key == "delays/feature-drift"
    assert why_owed(opened, None) is Why.FIRST


def test_nothing_is_owed_while_nothing_that_people_see_changes() -> None:
    opened = incident(alert(3.2))
    assert changed(opened, [alert(3.2004)]) == (opened, None)


def test_a_worse_value_is_a_silent_update() -> None:
    after, why = changed(incident(alert(3.2)), [alert(4.9)])
    assert (why, after.version, after.alerts[0].worst) == (Why.UPDATED, 2, 4.9)


def test_a_new_alert() -> None:
    opened, other = incident(alert()), alert(1.0, "temp")
    after, why = changed(opened, [alert(), other], begun={other.fingerprint})
    assert (why, after.firing, after.total) == (Why.NEW_ALERTS, 2, 2)
    assert why_owed(after, seen_of(opened)) is Why.NEW_ALERTS


def test_a_risen_severity_is_kept_though_the_alert_ends() -> None:
    opened, severe = incident(alert()), alert(9.0, "temp", severity="critical")
    risen, why = changed(opened, [alert(), severe], begun={severe.fingerprint})
    assert (why, risen.severity) == (Why.SEVERITY_ROSE, Severity.CRITICAL)
    calmer, why = changed(risen, [alert()], [alert(9.0, "temp", END, severity="critical")])
    assert (why, calmer.severity, calmer.firing) == (Why.UPDATED, Severity.CRITICAL, 1)


def test_partly_resolved_is_a_silent_update_and_all_resolved_is_told() -> None:
    opened = incident(alert(), alert(1.0, "temp"))
    partly, why = changed(opened, [alert()], [alert(1.0, "temp", END)])
    assert (why, partly.firing, partly.total, partly.resolved) == (Why.UPDATED, 1, 2, False)
    assert [item.firing for item in partly.alerts] == [True, False]
    over, why = changed(partly, [], [alert(ended=END)], wall=1_700_000_900.0)
    assert (why, over.resolved_at, over.ended) == (Why.RESOLVED, 1_700_000_900.0, START + HOUR)


def test_an_alert_that_left_the_group_does_not_keep_the_incident_open() -> None:
    over, why = changed(incident(alert()), [])
    assert (why, over.alerts[0].firing, over.alerts[0].ended_why) == (Why.RESOLVED, False, "rule_changed")


def test_ten_thousand_alerts_are_counted_and_the_worst_kept() -> None:
    storm = [alert(1.0 + index, f"f{index}") for index in range(10_000)]
    opened = incident(*storm)
    assert (opened.firing, opened.total, len(opened.alerts)) == (10_000, 10_000, KEPT)
    assert opened.alerts[0].worst == 10_000.0
    assert len(json.dumps(opened.to_dict())) < 50_000


def test_what_is_owed_follows_from_what_was_seen() -> None:
    opened = incident(alert())
    over, _ = changed(opened, [], [alert(ended=END)])
    assert why_owed(over, None) is Why.RESOLVED
    assert why_owed(over, seen_of(opened)) is Why.RESOLVED
    assert why_owed(over, seen_of(over)) is None
    later = replace(over, version=over.version + 1)
    assert why_owed(later, seen_of(over)) is Why.UPDATED
    worse = replace(opened, version=2, severity=Severity.CRITICAL, total=2)
    assert why_owed(worse, seen_of(opened)) is Why.SEVERITY_ROSE


def test_survives_json() -> None:
    before = incident(alert(), alert(1.0, "temp", severity="critical"))
    assert Incident.from_dict(json.loads(json.dumps(before.to_dict()))) == before


def test_findings_are_in_the_measurements_unit() -> None:
    seen = replace(alert(0.612), metric="missing_ratio", level=0.3)
    assert seen.finding == "61.2% > 30%"
    assert replace(seen, above=False).finding == "61.2% < 30%"
    assert replace(seen, cause=Kind.NO_DATA, text="no_rows").finding == "no data (no_rows)"
    assert replace(seen, cause=Kind.ERROR, text="it broke").finding == "failed (it broke)"


def test_subject_is_the_label_values_or_the_metric() -> None:
    assert alert().subject == "distance psi"
    assert replace(alert(), labels={"scope": "host"}).subject == "feature_drift"


def test_a_segment_is_named_first_and_once_and_comes_after_the_whole() -> None:
    whole, part = alert(1.0, summary="accuracy fell"), alert(9.0, segment="carrier=UA", summary="accuracy fell")
    named = alert(5.0, segment="carrier=AA", summary="{{ labels.segment }} fell")
    assert [item.summary for item in incident(part, named, whole).alerts] == [
        "accuracy fell",
        "carrier=UA: accuracy fell",
        "carrier=AA fell",
    ]
    moved = incident(replace(whole, moved=("temp: up",)), replace(part, moved=("temp: up", "wind: down"))).moved
    assert moved == ("temp: up", "carrier=UA: temp: up", "carrier=UA: wind: down")
