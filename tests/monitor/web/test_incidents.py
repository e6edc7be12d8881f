from dataclasses import replace
from pathlib import Path

from alerts.incidents.incident import Why
from monitor.store.alerts import outbox, states
from tests.alerts.builders import alert, incident
from tests.monitor.web.rig import NOW, Rig
from tests.monitor.web.rig import rig as build


def test_an_incident_is_acknowledged_by_its_id_or_an_alerts_fingerprint(rig: Rig) -> None:
    it = incident()
    rig.writer.call(lambda connection: states.save_incident(connection, it))
    rig.writer.call(lambda connection: outbox.owe(connection, it, Why.FIRST, ["pager"], NOW))

    reply = rig.client.post(f"/api/v1/alerts/{it.alerts[0].fingerprint}/ack", json={"by": "ann", "for": "4h"})

    assert reply.status_code == 200
    assert reply.json()["acknowledged"] == {"by": "ann", "at": NOW, "until": NOW + 14400}
    timeline = rig.client.get(f"/api/v1/incidents/{it.id}/timeline").json()["timeline"]
    assert [(event["what"], event["by"]) for event in timeline] == [("acknowledged", "ann")]
    owed = rig.services.alerts.notifications()
    assert [row["reason"] for row in owed if row["outcome"] is None] == ["first"], "who was never told hears it first"


def test_what_can_not_be_acknowledged_is_said(rig: Rig) -> None:
    unknown = rig.client.post("/api/v1/alerts/nothing/ack", json={"by": "ann"})
    assert (unknown.status_code, "no open incident" in unknown.json()["error"]) == (404, True)
    assert rig.client.post("/api/v1/alerts/nothing/ack", json={}).status_code == 400
    assert rig.client.post("/api/v1/alerts/nothing/ack", json={"by": "ann", "for": "soon"}).status_code == 400
    plain = rig.client.post("/api/v1/alerts/x/ack", content='{"by": "ann"}', headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415


def test_an_incident_of_no_feature_has_a_page_too(rig: Rig) -> None:
    it = incident(replace(alert(), labels={"metric": "accuracy"}))
    rig.writer.call(lambda connection: states.save_incident(connection, it))
    page = rig.client.get(f"/incidents/{it.id}")
    assert (page.status_code, "metric=accuracy" in page.text, ">distribution<" in page.text) == (200, True, False)


def test_an_incidents_page_links_grafana_with_its_time_if_there_is_one(tmp_path: Path) -> None:
    it = incident()
    for url, said in (("https://g.example/a&b", True), (None, False)):
        folder = tmp_path / str(said)
        folder.mkdir()
        made = build(folder, {"grafana": {"url": url}} if url else {})
        made.writer.call(lambda connection: states.save_incident(connection, it))
        page = made.client.get(f"/incidents/{it.id}").text
        made.close()
        assert ('href="https://g.example/a&amp;b/d/watchkeeper-model?var-model=delays&amp;from=' in page) is said
        assert ("Grafana" in page) is said
