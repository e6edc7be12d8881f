"""Reports over HTTP: as they were stored, and shut in."""

from __future__ import annotations

import gzip

from checks.base import Measurement, Window, labels
from monitor.store.results import reports
from tests.monitor.web.rig import NOW, Rig

PAGE = "<html>the report — ünd more</html>"


def keep(rig: Rig, id_: str = "0a-1b", check: str = "weekly") -> None:
    own = reports.StoredReport(id_, "delays", check, NOW - 7200.0, NOW, NOW)
    reports.add(rig.engine, own, gzip.compress(PAGE.encode(), mtime=0), part=20)


def test_a_report_is_served_as_it_was_stored(rig: Rig) -> None:
    keep(rig)
    packed = rig.client.get("/reports/0a-1b", headers={"Accept-Encoding": "gzip, br"})
    plain = rig.client.get("/reports/0a-1b", headers={"Accept-Encoding": "identity"})
    assert (packed.text, plain.text) == (PAGE, PAGE)
    assert (packed.headers.get("content-encoding"), plain.headers.get("content-encoding")) == ("gzip", None)
    refused = rig.client.get("/reports/0a-1b", headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.headers.get("content-encoding") is None
    assert plain.headers["content-type"].startswith("text/html")


def test_a_report_is_shut_in(rig: Rig) -> None:
    keep(rig)
    headers = rig.client.get("/reports/0a-1b").headers
    policy = headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; ")
    assert not {"allow-same-origin", "'unsafe-eval'", "http:", "https:", "*"} & set(policy.replace(";", " ").split())
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"].startswith("private")


def test_a_browser_gets_a_report_in_a_frame_that_stays_here(rig: Rig) -> None:
    keep(rig)
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    reply = rig.client.get("/reports/0a-1b", headers=browser)
    assert '<iframe sandbox="allow-scripts"' in reply.text
    assert "frame-src 'self'; " in reply.headers["content-security-policy"]
    assert PAGE not in reply.text
    for address, headers, framed in [
        ("?framed=1", browser, False),
        ("?framed=1", browser | {"Sec-Fetch-Dest": "document"}, True),
        ("", {"Sec-Fetch-Dest": "iframe"}, False),
    ]:
        got = rig.client.get(f"/reports/0a-1b{address}", headers=headers)
        assert ("<iframe" in got.text) is framed
        assert "allow-top-navigation" not in got.headers["content-security-policy"]


def test_an_unknown_report_is_one_sentence(rig: Rig) -> None:
    for id_ in ("nowhere", "..%2f..%2fetc%2fpasswd", "x" * 100):
        reply = rig.client.get(f"/reports/{id_}")
        assert reply.status_code in (400, 404)
        assert set(reply.json()) == {"error"}
    assert rig.client.get("/reports/nowhere").json() == {"error": "there is no such report, or it is not kept any more"}


def test_reports_are_listed_for_machines_and_people(rig: Rig) -> None:
    keep(rig, check="weekly")
    (listed,) = rig.client.get("/api/v1/reports").json()["reports"]
    assert (listed["check"], listed["path"], listed["window_end"]) == ("weekly", "/reports/0a-1b", NOW)
    assert '<a href="/reports/0a-1b">weekly</a>' in rig.client.get("/reports").text


def test_evidentlys_numbers_do_not_flood_the_page(rig: Rig) -> None:
    own = labels(check="weekly", metric="ValueDrift", column="distance")
    rig.services.latest.put("delays", [Measurement("evidently_value", 0.25, Window(NOW - 1.0, NOW), own)])
    assert "ValueDrift" not in rig.client.get("/").text + rig.client.get("/models/delays").text
    assert 'watchkeeper_evidently_value{check="weekly"' in rig.client.get("/metrics").text
