import json
import re
from html.parser import HTMLParser
from urllib.parse import urlencode

from sqlalchemy import insert

from alerts.incidents.matcher import Matcher, Op
from alerts.state.state import AlertState, Status
from checks.base import Measurement, Window, labels
from monitor.store.results import measurements
from monitor.store.tables import alerts
from tests.monitor.web.rig import NOW, Rig

HOUR = Window(NOW - 3600.0, NOW)
EVIL = "<script>alert(1)</script>\"'&\x1b[31m"


class Tags(HTMLParser):
    """The tags and attributes of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def fire(rig: Rig, rule: str, about: dict[str, str]) -> None:
    state = AlertState(status=Status.FIRING, metric="feature_drift", since=NOW - 60, value=3.2, level=0.1)
    with rig.engine.begin() as connection:
        connection.execute(
            insert(alerts).values(
                model="delays",
                rule=rule,
                fingerprint=rule[:16],
                labels=json.dumps(about),
                state="firing",
                memory=json.dumps(state.to_dict()),
                updated_at=NOW,
            )
        )


def test_an_empty_page_says_what_comes_next(rig: Rig) -> None:
    home, model = (Tags(rig.client.get(path).text).text for path in ("/", "/models/delays"))

    assert "No alert is pending or firing." in home
    assert "POST /v1/models/delays/predictions" in home
    assert "POST /v1/models/delays/predictions" in model
    assert "No check has run yet" in model
    assert "There was none." in rig.client.get("/incidents").text
    assert "No check has run yet" in rig.client.get("/checks").text
    assert "There is none; a check of" in rig.client.get("/reports").text


def test_models_alerts_and_the_machine_are_shown(rig: Rig) -> None:
    rows = [
        Measurement("window_rows", 812.0, HOUR, n=812),
        Measurement("performance", 0.83, HOUR, labels(metric="accuracy"), n=800, low=0.8, high=0.86, reference=0.88),
        Measurement("feature_drift", 3.2, HOUR, labels(feature="distance", method="psi"), limit_high=0.1),
        Measurement("missing_ratio", 0.6, HOUR, labels(feature="temp")),
        Measurement("latency_p95_seconds", 0.25, HOUR),
    ]
    rig.services.latest.put("delays", rows)
    rig.writer.call(lambda connection: measurements.write(connection, "delays", rows))
    rig.services.latest.put("", [Measurement("memory_used_bytes", 2.0**31, HOUR, labels(scope="host"))])
    rig.services.health.report("slack", "the token was revoked")
    rig.writer.call(
        lambda connection: measurements.record_run(
            connection, "delays", "drift", window_end=NOW, started_at=NOW - 30, seconds=0.2, error="ValueError: bins"
        )
    )
    rig.services.alerts.add_silence([Matcher.parse("rule=cpu")], NOW, NOW + 60, by="ada", comment="moving", now=NOW)
    fire(rig, "feature-drift", {"feature": "distance"})

    home, model, checks, quiet = (
        Tags(rig.client.get(path).text) for path in ("/", "/models/delays", "/checks", "/incidents")
    )

    for shown in ["1 firing", "feature-drift", "feature=distance", "3.2", "accuracy", "of 0.88", "250ms", "2GiB"]:
        assert shown in home.text
    assert "slack: the token was revoked" in home.text
    for shown in ["0.8 – 0.86", "60%", "250ms", "812", "2023-11-14T22:13", "ValueError: bins"]:
        assert shown in model.text
    assert ("span", {"class": "over", "title": "limit 0.1"}) in model.tags
    assert "ValueError: bins" in checks.text
    assert "30s ago" in checks.text
    assert "ada" in quiet.text
    assert "moving" in quiet.text
    said = [own["aria-label"] for tag, own in model.tags if tag == "svg" and own.get("role") == "img"]
    assert "distance: beyond its limit in 1 of 1 windows" in said
    assert "Accuracy: newest 0.83, from 0.83 to 0.83 in 1 windows" in said


def test_what_a_silence_hits_and_what_reaches_nobody_is_shown(rig: Rig) -> None:
    store = rig.services.alerts
    fire(rig, "feature-drift", {"feature": "distance"})
    for text in ("feature=~dist.*", "severity=crit"):
        store.add_silence([Matcher.parse(text)], NOW, NOW + 60, by="ada", comment="", now=NOW)
    old = [Matcher("rule", Op.REGEX, "(?=cpu).*", stored=True)]
    store.add_silence(old, NOW, NOW + 60, by="ada", comment="", now=NOW)
    rig.services.health.report("routes", "the open incident delays/drift reaches nobody")
    shown = Tags(rig.client.get("/incidents").text).text
    assert "matches 1 of the alerts that are there" in shown
    assert "matches no severity; did you mean 'critical'?" in shown
    assert "RE2 refuses the expression of rule=~" in shown
    assert "the open incident delays/drift reaches nobody." in shown
    [refused] = [item["problem"] for item in rig.client.get("/api/v1/silences").json()["silences"] if item["problem"]]
    assert "add it anew" in refused


def test_an_unknown_model_incident_or_alert_is_said_on_a_page(rig: Rig) -> None:
    for path in ("/models/nothing", "/incidents/nothing", "/alerts/nothing"):
        reply = rig.client.get(path)
        assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (404, "text/html"), path
        assert "There is no such page" in reply.text


def test_names_from_data_are_text_wherever_they_are_shown(rig: Rig) -> None:
    rows = [
        Measurement("window_rows", 812.0, HOUR, n=812),
        Measurement("missing_ratio", 0.6, HOUR, labels(feature=EVIL)),
        Measurement("feature_drift", 0.6, HOUR, labels(feature=EVIL, method="psi"), limit_high=0.1),
        Measurement("performance", 0.5, HOUR, labels(metric="accuracy", segment=EVIL)),
    ]
    rig.services.latest.put("delays", rows)
    rig.writer.call(lambda connection: measurements.write(connection, "delays", rows))
    rig.services.health.report(EVIL, EVIL)
    rig.writer.call(
        lambda connection: measurements.record_run(
            connection, "delays", EVIL, window_end=NOW, started_at=NOW, seconds=0.2, error=EVIL
        )
    )
    rig.services.alerts.add_silence([Matcher.parse("rule=cpu")], NOW, NOW + 60, by=EVIL, comment=EVIL, now=NOW)
    fire(rig, EVIL, {EVIL: EVIL})

    seen = 0
    for path in ("/", "/models/delays", "/incidents", "/checks", f"/models/delays?{urlencode({'feature': EVIL})}"):
        html = rig.client.get(path).text
        page = Tags(html)
        assert [own.keys() for tag, own in page.tags if tag == "script"] == [{"nonce"}], path
        assert "\x1b" not in html
        assert "<script>alert" not in html
        assert not any(name.startswith("on") for _, own in page.tags for name in own)
        seen += page.text.count("<script>alert(1)</script>\"'&")
    assert seen >= 15


def test_features_are_bounded_and_the_worst_come_first(rig: Rig) -> None:
    rows = [Measurement("window_rows", 812.0, HOUR, n=812)]
    for place in range(1000):
        of = f"f{place}"
        rows.append(Measurement("missing_ratio", place / 1000, HOUR, labels(feature=of)))
        drift = labels(feature=of, method="psi")
        rows.append(Measurement("feature_drift", place / 1000, HOUR, drift, limit_high=0.1))
    rig.services.latest.put("delays", rows)

    html = rig.client.get("/models/delays").text

    assert re.findall(r'#feature">(f\d+)</a>', html)[:2] == ["f999", "f998"]
    assert "975 more features" in html
    assert "974 more have smaller faults" in html
    assert len(html) < 90_000
    assert '<h2 id="feature">f3</h2>' in rig.client.get("/models/delays?feature=f3").text


def test_only_its_own_script_runs_and_nothing_comes_from_elsewhere(rig: Rig) -> None:
    reply = rig.client.get("/")
    page = Tags(reply.text)

    policy = reply.headers["content-security-policy"]
    (nonce,) = {own["nonce"] for tag, own in page.tags if tag in ("style", "script")}
    assert "default-src 'none'" in policy
    assert f"style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'" in policy
    assert "form-action 'self'" in policy
    assert nonce not in rig.client.get("/").text
    assert {tag for tag, _ in page.tags}.isdisjoint({"img", "iframe", "object"})
    assert not any("style" in attributes for _, attributes in page.tags)
    links = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("href", "src")]
    assert links
    assert all(link and link.startswith(("/", "data:", "?", "#")) and not link.startswith("//") for link in links)


def test_a_moment_before_all_time_is_looked_at_as_the_first(rig: Rig) -> None:
    rig.services.latest.put("delays", [Measurement("window_rows", 812.0, HOUR, n=812)])
    assert rig.client.get("/models/delays?until=-1e18").status_code == 200


def test_it_refreshes_itself_until_told_not_to(rig: Rig) -> None:
    page = Tags(rig.client.get("/models/delays?feature=a%26b").text)
    assert ("meta", {"http-equiv": "refresh", "content": "15"}) in page.tags, "for browsers without scripts"
    assert [own for tag, own in page.tags if tag == "a" and own["href"] == "?windows=48&feature=a%26b&refresh=off"]
    off = rig.client.get("/?refresh=off").text
    assert "http-equiv" not in off
    assert "<script" not in off
    assert "http-equiv" not in rig.client.get("/incidents").text, "a filled-in form would be lost"


def test_the_worst_segments_are_shown_and_their_values_nowhere_else(rig: Rig) -> None:
    rows = [Measurement("window_rows", 812.0, HOUR, n=812)]
    for place in range(40):
        of = f"country=c{place:02}"
        rows += [
            Measurement("window_rows", 20.0, HOUR, labels(segment=of), n=20),
            Measurement(
                "performance",
                0.9 - place / 100,
                HOUR,
                labels(metric="accuracy", segment=of),
                n=20,
                reference=0.9,
                limit_low=0.7,
            ),
            Measurement(
                "drifted_features",
                float(place == 3) * 2,
                HOUR,
                labels(segment=of),
                detail={"features": [{"feature": "temp"}, {"feature": "wind"}]} if place == 3 else {},
            ),
            Measurement("missing_ratio", place / 40, HOUR, labels(feature="temp", segment=of), limit_high=0.5),
        ]
    rig.services.latest.put("delays", rows)

    html = rig.client.get("/models/delays").text

    shown = re.findall(r'<td class="name">(country=c\d+)</td>', html)
    assert shown[:6] == ["country=c39", "country=c38", "country=c37", "country=c36", "country=c35", "country=c03"]
    assert len(shown) <= 10
    text = Tags(html).text
    assert "The worst of 40 segments" in text
    assert "temp, wind" in text
    assert "Data quality" not in html, "no feature of all rows was measured"
    assert html.count("Predictions in a window</h3>") == 1
