"""Webhook, PagerDuty and apprise against real HTTP servers that take only what the real ones take."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from alerts.incidents.actions import acknowledge
from alerts.incidents.incident import Notice, PictureLink, Why
from alerts.notify import NotifyError
from alerts.notify.apprise import Apprise, UnknownService
from alerts.notify.pagerduty import PagerDuty
from alerts.notify.pagerduty import payload as event
from alerts.notify.transport import wait_seconds
from alerts.notify.webhook import Webhook, WebhookSettings, payload
from monitor.clock import SystemClock
from monitor.net.transport import HttpTransport
from tests.alerts.builders import alert, incident
from tests.fakes.pagerduty import KEY, pagerduty
from tests.fakes.peer import Peer, says

TRANSPORT = HttpTransport(SystemClock(), 30.0)
FIRST = Notice(incident(), Why.FIRST)


def hook(peer: Peer, **options: Any) -> Webhook:
    return Webhook(
        "tool", WebhookSettings(url=peer.url + "/in", **options), TRANSPORT, lambda: 1000.0, "https://w.example"
    )


def refusal(send: Any, notice: Notice = FIRST) -> NotifyError:
    with pytest.raises(NotifyError) as caught:
        send(notice, None)
    return caught.value


def test_a_webhook_gets_the_incident_signed_with_a_key_of_its_own_for_repeats() -> None:
    with Peer(says(status=204)) as peer:
        hook(peer, secret="s3cret", headers={"X-Team": "ml"}).send(FIRST, None)
        sent = peer.requests[0]
    body = json.loads(sent.body)
    assert (sent.method, sent.path, body["version"], body["why"]) == ("POST", "/in", "1", "first")
    assert body["incident"]["alerts"][0]["labels"] == {"feature": "distance", "method": "psi"}
    assert body["incident"]["state"] == "firing"
    assert sent.headers["Idempotency-Key"] == body["delivery"] == "incident-1:1"
    assert sent.headers["X-Team"] == "ml"
    expected = hmac.new(b"s3cret", b"1000." + sent.body, hashlib.sha256).hexdigest()
    assert sent.headers["X-Watchkeeper-Signature"] == f"t=1000,v1={expected}"


def test_a_template_writes_the_body_and_one_that_fails_is_about_the_message() -> None:
    with Peer(says()) as peer:
        hook(peer, template='{"text": {{ incident.summary | tojson }}}').send(FIRST, None)
        assert json.loads(peer.requests[0].body) == {"text": FIRST.incident.alerts[0].summary}
        error = refusal(hook(peer, template="{{ incident.firing / 0 }}").send)
    assert error.of_message and not error.retry
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    ("status", "retry", "of_message", "after"),
    [
        (500, True, False, None),
        (429, True, False, 7.0),
        (408, True, False, None),
        (413, False, True, None),
        (422, False, True, None),
        (401, False, False, None),
        (404, False, False, None),
        (302, False, False, None),
    ],
)
def test_what_an_answer_means(status: int, retry: bool, of_message: bool, after: float | None) -> None:
    with Peer(says("secret words", status, Retry_After="7") if status == 429 else says("secret words", status)) as peer:
        error = refusal(hook(peer, secret="s3cret").send)
    assert (error.retry, error.of_message, error.after) == (retry, of_message, after)
    assert "secret" not in str(error).replace("receiver's secret", "")


@pytest.mark.parametrize("text", ["²", "٣", "1_0", "nan", "inf", "-1", "1e9", "soon", ""])
def test_a_retry_after_that_is_no_number_of_seconds_is_none(text: str) -> None:
    assert wait_seconds(text) is None


@pytest.mark.parametrize("text", ['{"ok":false}', '{"success": false, "error": "x"}', "no_service", "invalid_token\n"])
def test_an_answer_that_says_no_is_no_success(text: str) -> None:
    with Peer(says(text)) as peer:
        error = refusal(hook(peer).send)
    assert (error.retry, error.of_message) == (False, True)


@pytest.mark.parametrize("text", ["", "ok", '{"ok":true}', "{}", "[1]", "not found: nothing else to do", '{"id": 7'])
def test_an_answer_that_says_nothing_else_is_success(text: str) -> None:
    with Peer(says(text, 201)) as peer:
        assert hook(peer).send(FIRST, None) == {}


def test_a_redirect_is_not_followed() -> None:
    with Peer(says("welcome")) as login, Peer(says("", 302, Location=login.url)) as peer:
        assert "leads elsewhere" in str(refusal(hook(peer).send))
        assert login.requests == []


def test_a_receiver_that_hangs_resets_or_is_not_there_is_tried_again() -> None:
    def reset(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.connection.close()

    with Peer(reset) as peer:
        assert refusal(hook(peer).send).retry
        peer.answer = peer.hang
        quick = Webhook("tool", WebhookSettings(url=peer.url), HttpTransport(SystemClock(), 0.2), lambda: 0.0)
        assert refusal(quick.send).retry
    assert refusal(hook(peer).send).retry


def duty(peer: Peer, key: str = KEY) -> PagerDuty:
    return PagerDuty("duty", key, TRANSPORT, peer.url + "/v2/enqueue", "https://w.example")


def test_pagerduty_is_triggered_acknowledged_and_resolved_under_one_key() -> None:
    with pagerduty() as peer:
        it, receiver = incident(), duty(peer)
        address = receiver.send(Notice(it, Why.FIRST), None)
        acked = acknowledge(it, "ann", 1.0, 2.0)
        receiver.send(Notice(acked, Why.ACKNOWLEDGED), address)
        over = replace(it, resolved_at=1.0, ended=1.0)
        receiver.send(Notice(over, Why.RESOLVED), address)
        events = [json.loads(request.body) for request in peer.requests]
    assert [event["event_action"] for event in events] == ["trigger", "acknowledge", "resolve"]
    assert {event["dedup_key"] for event in events} == {"incident-1"}
    assert events[0]["payload"]["source"] == "delays"
    assert events[0]["payload"]["severity"] == "warning"


def test_pagerduty_takes_a_summary_of_any_length_and_refuses_a_foreign_key() -> None:
    with pagerduty() as peer:
        long = incident(replace(alert(), summary="x" * 100_000, action="y" * 100_000))
        duty(peer).send(Notice(long, Why.FIRST), None)
        error = refusal(duty(peer, "0" * 32).send)
    assert not error.retry and "routing_key" in str(error)


def test_apprise_tells_each_address_once_however_often_another_fails() -> None:
    with Peer(says()) as well, Peer(says(status=500)) as ill:
        urls = [f"json://127.0.0.1:{well.port}/a", f"json://127.0.0.1:{ill.port}/b"]
        receiver = Apprise("all", urls, timeout=30.0, page="https://w.example")
        error = refusal(receiver.send)
        assert error.retry and "address 2" in str(error)
        ill.answer = says()
        receiver.send(FIRST, None)
        assert (len(well.requests), len(ill.requests)) == (1, 2)
        body = json.loads(well.requests[0].body)
    assert body["title"] == "WARNING delays: feature-drift"
    assert "since 2013-05-01" in body["message"]


def test_an_address_that_apprise_does_not_know_is_named_by_its_place_alone() -> None:
    with pytest.raises(UnknownService, match="address 2 names no service") as caught:
        Apprise("all", ["json://127.0.0.1/", "nothing://user:hunter2@x"])
    assert "hunter2" not in str(caught.value)


def test_a_payload_is_json_whatever_data_say() -> None:
    it = incident(replace(alert(), summary="\ud800<!channel>\x00", labels={"feature": "ü" * 5000}))
    assert json.loads(json.dumps(payload(Notice(it, Why.FIRST))))["incident"]["total"] == 1


def test_the_picture_is_a_link_where_there_is_a_field_for_it() -> None:
    link = PictureLink("p1", "distance: moved", 0.0, 3600.0)
    notice = Notice(replace(incident(), picture=link), Why.FIRST)
    assert payload(FIRST)["incident"]["picture"] is None
    assert payload(notice, "https://w.example/")["incident"]["picture"] == "https://w.example/pictures/p1.png"
    (image,) = event(notice, KEY, "https://w.example")["images"]
    assert image == {
        "src": "https://w.example/pictures/p1.png",
        "href": "https://w.example",
        "alt": "distance: moved",
    }
    assert event(notice, KEY, "http://127.0.0.1:9797")["images"] == [], "PagerDuty takes https alone"
    with pagerduty() as duty:
        PagerDuty("duty", KEY, TRANSPORT, duty.url + "/v2/enqueue", "https://w.example").send(notice, None)
