import json
import re
from html.parser import HTMLParser

from sqlalchemy import insert

from alerts.silence import Matcher
from alerts.state import AlertState, Status
from checks.base import Measurement, Window, labels
from monitor.store import measurements
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
    text = Tags(rig.client.get("/").text).text

    assert "No alert is pending or firing." in text
    assert "POST /v1/models/delays/predictions" in text
    assert "No check has run yet" in text


def test_models_checks_alerts_and_silences_are_shown(rig: Rig) -> None:
    rows = [
        Measurement("window_rows", 812.0, HOUR, n=812),
        Measurement("performance", 0.83, HOUR, labels(metric="accuracy"), n=800, low=0.8, high=0.86, reference=0.88),
        Measurement("feature_drift", 3.2, HOUR, labels(feature="distance", method="psi"), limit_high=0.1),
        Measurement("missing_ratio", 0.6, HOUR, labels(feature="temp")),
        Measurement("latency_p95_seconds", 0.25, HOUR),
    ]
    rig.services.latest.put("delays", rows)
    rig.services.latest.put("", [Measurement("memory_used_bytes", 2.0**31, HOUR, labels(scope="host"))])
    rig.services.health.report("slack", "the token was revoked")
    rig.writer.call(
        lambda connection: measurements.record_run(
            connection, "delays", "drift", window_end=NOW, started_at=NOW - 30, seconds=0.2, error="ValueError: bins"
        )
    )
    rig.services.alerts.add_silence([Matcher.parse("rule=cpu")], NOW, NOW + 60, by="ada", comment="moving", now=NOW)
    fire(rig, "feature-drift", {"feature": "distance"})

    page = Tags(rig.client.get("/").text)

    for shown in [
        "1 firing",
        "feature-drift",
        "feature=distance",
        "3.2",
        "accuracy",
        "0.8 – 0.86",
        "60%",
        "250ms",
        "2GiB",
    ]:
        assert shown in page.text
    for shown in ["ValueError: bins", "30s ago", "ada", "moving", "slack: the token was revoked", "2023-11-14T22:13"]:
        assert shown in page.text
    assert ("td", {"class": "firing"}) in page.tags
    assert ("span", {"class": "over", "title": "limit 0.1"}) in page.tags


def test_names_from_data_are_text_wherever_they_are_shown(rig: Rig) -> None:
    rig.services.latest.put(
        "delays",
        [
            Measurement("missing_ratio", 0.6, HOUR, labels(feature=EVIL)),
            Measurement("performance", 0.5, HOUR, labels(metric="accuracy", segment=EVIL)),
        ],
    )
    rig.services.health.report(EVIL, EVIL)
    rig.writer.call(
        lambda connection: measurements.record_run(
            connection, "delays", EVIL, window_end=NOW, started_at=NOW, seconds=0.2, error=EVIL
        )
    )
    rig.services.alerts.add_silence([Matcher.parse("rule=cpu")], NOW, NOW + 60, by=EVIL, comment=EVIL, now=NOW)
    fire(rig, EVIL, {EVIL: EVIL})

    html = rig.client.get("/").text
    page = Tags(html)

    assert "script" not in {tag for tag, _ in page.tags}
    assert "\x1b" not in html
    assert page.text.count("<script>alert(1)</script>\"'&") >= 8


def test_features_are_bounded_and_the_worst_come_first(rig: Rig) -> None:
    rig.services.latest.put(
        "delays", [Measurement("missing_ratio", i / 1000, HOUR, labels(feature=f"f{i}")) for i in range(1000)]
    )

    html = rig.client.get("/").text

    assert re.findall(r'<td class="name">(f\d+)</td>', html)[:2] == ["f999", "f998"]
    assert "975 more features" in html
    assert len(html) < 60_000


def test_nothing_comes_from_elsewhere_and_nothing_runs(rig: Rig) -> None:
    reply = rig.client.get("/")
    page = Tags(reply.text)

    policy = reply.headers["content-security-policy"]
    (nonce,) = [attributes["nonce"] for tag, attributes in page.tags if tag == "style"]
    assert "default-src 'none'" in policy
    assert f"style-src 'nonce-{nonce}'" in policy
    assert nonce not in rig.client.get("/").text
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "iframe", "object"})
    assert not any("style" in attributes for _, attributes in page.tags)
    links = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("href", "src")]
    assert links
    assert all(link and (link.startswith(("/", "data:")) and not link.startswith("//")) for link in links)


def test_it_refreshes_itself_until_told_not_to(rig: Rig) -> None:
    assert '<meta http-equiv="refresh" content="15">' in rig.client.get("/").text
    assert "http-equiv" not in rig.client.get("/?refresh=off").text


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
                detail={"features": [{"feature": "temp"}, {"feature": "wind"}] if place == 3 else []},
            ),
            Measurement("missing_ratio", place / 40, HOUR, labels(feature="temp", segment=of), limit_high=0.5),
        ]
    rig.services.latest.put("delays", rows)

    html = rig.client.get("/").text

    shown = re.findall(r'<td class="name">(country=c\d+)</td>', html)
    assert shown[:6] == ["country=c39", "country=c38", "country=c37", "country=c36", "country=c35", "country=c03"]
    assert len(shown) <= 10
    text = Tags(html).text
    assert "The worst of 40 segments" in text
    assert "temp, wind" in text
    assert "<h3>Features</h3>" not in html, "no feature of all rows was measured"
    assert html.count("<dt>window rows") == 1
