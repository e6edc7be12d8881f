"""One alert's history and explanation, over the API and as a page."""

from __future__ import annotations

from alerts.incidents.matcher import Matcher
from alerts.state.state import Status
from monitor.alerting.engine import AlertEngine
from tests.alerts.builders import HOUR, START, measure, rule
from tests.monitor.web.rig import NOW, Rig

DRIFT = rule(summary="{{ labels.feature }} <b>drifted</b>")
LABELS = (("feature", "<dist>"),)


def judged(rig: Rig, *values: float) -> str:
    """Judges windows with these values; returns the alert's fingerprint."""
    alert_engine = AlertEngine([DRIFT], ["pager"], rig.clock)
    for hour, value in enumerate(values, 1):
        rows = [measure(value, START + hour * HOUR, labels=LABELS)]
        rig.services.latest.put("delays", rows)
        rig.writer.call(
            lambda connection, rows=rows, now=START + hour * HOUR: alert_engine.step(
                connection, "delays", rows, now, metrics={"feature_drift"}, failed={}
            )
        )
    object.__setattr__(rig.services, "rules", lambda: [DRIFT])
    (alert,) = rig.services.alerts.alerts(states=list(Status))
    fingerprint: str = alert["fingerprint"]
    return fingerprint


def test_history_says_who_did_what_when_and_why(rig: Rig) -> None:
    fingerprint = judged(rig, 0.5)
    rig.services.alerts.acknowledge(fingerprint, "ann", NOW + 1, 3600)
    rig.services.alerts.add_silence(
        [Matcher.parse("feature=<dist>")], NOW, NOW + 60, by="bob", comment="known", now=NOW + 2
    )
    rig.services.alerts.add_silence([Matcher.parse("feature=other")], NOW, NOW + 60, by="eve", comment="", now=NOW + 3)
    reply = rig.client.get(f"/api/v1/alerts/{fingerprint}/history").json()
    assert (reply["rule"], reply["model"], reply["state"], reply["labels"]) == (
        "drift",
        "delays",
        "firing",
        {"feature": "<dist>"},
    )
    seen = [(event["what"], event["by"], event.get("reason") or event.get("text")) for event in reply["events"]]
    assert seen[:2] == [("silenced", "bob", "known"), ("acknowledged", "ann", "")]
    assert ("changed", "", "breached") in seen and ("opened", "", "<dist> <b>drifted</b>") in seen
    assert len(rig.client.get(f"/api/v1/alerts/{fingerprint}/history?limit=1").json()["events"]) == 1


def test_history_outlives_the_label_set(rig: Rig) -> None:
    fingerprint = judged(rig, 0.5)
    rig.writer.call(lambda connection: AlertEngine([], ["pager"], rig.clock).reconcile(connection, NOW))
    reply = rig.client.get(f"/api/v1/alerts/{fingerprint}/history").json()
    assert reply["state"] == "inactive"
    assert [event["reason"] for event in reply["events"] if event["what"] == "changed"] == ["rule_removed", "breached"]
    assert "not judged any more" in rig.client.get(f"/alerts/{fingerprint}").text


def test_an_alert_is_explained_by_fingerprint_or_rule(rig: Rig) -> None:
    fingerprint = judged(rig, 0.05)
    (by_fingerprint,) = rig.client.get(f"/api/v1/alerts/explain?fingerprint={fingerprint}").json()["alerts"]
    reply = rig.client.get("/api/v1/alerts/explain?rule=drift&model=delays&label=feature=%3Cdist%3E")
    assert reply.json()["alerts"] == [by_fingerprint]
    assert {"about": "level", "found": "> 0.1: the value is not beyond it"} in by_fingerprint["facts"]
    (unknown,) = rig.client.get("/api/v1/alerts/explain?rule=drift&label=feature=nothing").json()["alerts"]
    assert unknown["facts"][-1]["found"].startswith("inactive: nothing with these labels")


def test_who_silences_is_told(rig: Rig) -> None:
    fingerprint = judged(rig, 0.5)
    made = rig.services.alerts.add_silence(
        [Matcher.parse("rule=drift")], NOW - 1, NOW + 60, by="bob", comment="known", now=NOW
    )
    (alert,) = rig.client.get(f"/api/v1/alerts/explain?fingerprint={fingerprint}").json()["alerts"]
    (found,) = [fact["found"] for fact in alert["facts"] if fact["about"] == "silenced"]
    assert found.startswith("by bob until ") and f"(known), with silence {made.id}" in found


def test_the_page_shows_both_and_escapes(rig: Rig) -> None:
    fingerprint = judged(rig, 0.5, 0.0)
    page = rig.client.get(f"/alerts/{fingerprint}")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "feature=&lt;dist&gt;" in page.text and "<dist>" not in page.text and "<b>drifted" not in page.text
    assert "firing → " in page.text and "cleared" in page.text
    assert "script-src 'nonce-" in page.headers["content-security-policy"], "the page's own alone"
    judged(rig, 0.5, 0.0, 0.9)
    assert f'href="/alerts/{fingerprint}"' in rig.client.get("/").text


def test_what_is_unknown_is_404(rig: Rig) -> None:
    for path in ("/api/v1/alerts/feed/history", "/alerts/feed", "/api/v1/alerts/explain?fingerprint=feed"):
        assert rig.client.get(path).status_code == 404
    assert "no rule 'nosuch' in force" in rig.client.get("/api/v1/alerts/explain?rule=nosuch").json()["error"]


def test_reload_needs_the_admins_token_and_is_one_sentence_when_the_file_is_wrong(rig: Rig) -> None:
    from monitor.config.errors import ConfigError

    def wrong() -> None:
        raise ConfigError("w.yaml", 3, "rule 'r': above: 'much' is no level")

    assert rig.client.post("/-/reload").json() == {"rules": 0, "changed": False, "restart": []}
    assert rig.client.post("/-/reload", headers={"Origin": "http://evil.example"}).status_code == 403
    object.__setattr__(rig.services, "reload", wrong)
    reply = rig.client.post("/-/reload")
    assert (reply.status_code, reply.json()["error"]) == (400, "w.yaml:3: rule 'r': above: 'much' is no level")
