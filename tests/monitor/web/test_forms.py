"""The page's forms: what they do, and from whom they are taken."""

import re
from pathlib import Path

import pytest

from alerts.incidents.incident import Incident
from monitor.store.alerts import states
from monitor.web.form_sessions import COOKIE, SIGNED_IN_SECONDS
from tests.alerts.builders import incident
from tests.monitor.web.rig import NOW, Rig
from tests.monitor.web.rig import rig as make

OURS = {"Origin": "http://127.0.0.1:9797"}


def proof(rig: Rig, path: str) -> str:
    """The proof in the page's forms, as a browser that keeps cookies sends it back."""
    found = re.search(r'name="proof" value="(\w+)"', rig.client.get(path).text)
    assert found
    return found[1]


@pytest.fixture
def opened(rig: Rig) -> Incident:
    it = incident()
    rig.writer.call(lambda connection: states.save_incident(connection, it))
    return it


def send(rig: Rig, path: str, headers: dict[str, str] | None = None, **fields: str) -> tuple[int, str]:
    reply = rig.client.post(path, data=fields, headers={**OURS, **(headers or {})}, follow_redirects=False)
    return reply.status_code, reply.headers.get("location", reply.text)


def test_an_incident_is_acknowledged_and_its_page_says_so(rig: Rig, opened: Incident) -> None:
    here = f"/incidents/{opened.id}"
    sent = send(rig, f"{here}/ack", proof=proof(rig, here), by="ann <b>", **{"for": "4h"})

    assert sent == (303, here)
    html = rig.client.get(here).text
    assert "ann &lt;b&gt;</strong> is on it" in html
    assert "acknowledged</strong> by ann &lt;b&gt;" in html
    assert rig.services.alerts.incidents()[0]["acknowledged"]["until"] == NOW + 4 * 3600


def test_an_incidents_page_links_grafana_with_its_time(tmp_path: Path) -> None:
    rig = make(tmp_path, {"grafana": {"url": "https://grafana.example/team"}})
    it = incident()
    rig.writer.call(lambda connection: states.save_incident(connection, it))
    html = rig.client.get(f"/incidents/{it.id}").text
    rig.close()
    link = f"https://grafana.example/team/d/watchkeeper-model?var-model=delays&amp;from={int(it.opened_at - 21600)}000"
    assert f'<a href="{link}&amp;to=now" rel="noreferrer">' in html


def test_a_silence_is_added_and_ended(rig: Rig, opened: Incident) -> None:
    here = f"/incidents/{opened.id}"
    fields = {"proof": proof(rig, here), "by": "ann", "comment": "known", "back": here, "for": "4h"}
    assert send(rig, "/silences", **fields, matchers='model=delays, feature="a,b"') == (303, here)

    (silence,) = rig.services.alerts.list_silences(NOW)
    assert [str(matcher) for matcher in silence.matchers] == ['model="delays"', 'feature="a,b"']
    assert (silence.created_by, silence.comment, silence.ends_at) == ("ann", "known", NOW + 4 * 3600)
    ended = send(rig, f"/silences/{silence.id}/expire", proof=proof(rig, "/incidents"))
    assert ended == (303, "/incidents#silences")
    assert rig.services.alerts.list_silences(NOW) == []


def test_a_mistake_is_said_beside_what_was_filled_in(rig: Rig) -> None:
    fields = {"proof": proof(rig, "/incidents"), "by": "ann", "comment": "a comment", "for": "4h"}
    status, html = send(rig, "/silences", **fields, matchers="nonsense")
    assert status == 400
    assert "is no matcher" in html
    assert 'value="nonsense"' in html
    assert 'value="a comment"' in html
    assert send(rig, "/silences", **{**fields, "by": ""}, matchers="rule=x")[0] == 400
    assert send(rig, "/incidents/nothing/ack", proof=fields["proof"], by="ann")[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
    ],
)
def test_pages_of_other_sites_are_refused(rig: Rig, headers: dict[str, str], status: int) -> None:
    sent = send(rig, "/silences", headers, proof=proof(rig, "/incidents"), by="eve", matchers="rule=x", **{"for": "1d"})
    assert sent[0] == status
    assert rig.services.alerts.list_silences(NOW) == []


def test_without_the_pages_own_proof_a_form_is_refused(rig: Rig) -> None:
    fields = {"by": "eve", "matchers": "rule=x", "for": "1d"}
    mine = proof(rig, "/incidents")
    assert send(rig, "/silences", **fields)[0] == 403
    assert send(rig, "/silences", **fields, proof="0" * 64)[0] == 403
    rig.client.cookies.clear()
    assert send(rig, "/silences", **fields, proof=mine)[0] == 403, "another visitor's"
    assert rig.services.alerts.list_silences(NOW) == []


def test_back_leads_to_pages_of_ours_alone(rig: Rig) -> None:
    for back in ("https://evil.example", "//evil.example", "/incidents//evil.example", "/incidents/a\r\nb", "/metrics"):
        fields = {"by": "ann", "matchers": "rule=x", "for": "1d", "back": back}
        assert send(rig, "/silences", **fields, proof=proof(rig, "/incidents")) == (303, "/incidents#silences")


def test_the_cookie_is_kept_from_scripts_and_other_sites(rig: Rig) -> None:
    cookie = rig.client.get("/").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "set-cookie" not in rig.client.get("/").headers, "once"


def test_with_an_admin_token_it_is_asked_for_once(tmp_path: Path) -> None:
    rig = make(tmp_path, {"tokens": {"admin": "s3cret"}})
    try:
        fields = {"proof": proof(rig, "/incidents"), "by": "ann", "matchers": "rule=x", "for": "1d"}
        assert 'type="password"' in rig.client.get("/incidents").text
        assert send(rig, "/silences", **fields)[0] == 401
        status, html = send(rig, "/silences", **fields, token="wrong")
        assert (status, "tokens.admin" in html, "wrong" in html) == (401, True, False)
        before = rig.client.cookies[COOKIE]
        assert send(rig, "/silences", **fields, token="s3cret")[0] == 303
        assert send(rig, "/silences", **fields)[0] == 403, "the form is the one before signing in"
        assert 'type="password"' not in rig.client.get("/incidents").text
        fields["proof"] = proof(rig, "/incidents")
        assert send(rig, "/silences", **fields)[0] == 303, "who has given it need not again"
        signed_in = rig.client.cookies[COOKIE]
        assert send(rig, "/sign-out", proof=fields["proof"]) == (303, "/")
        assert len({before, signed_in, rig.client.cookies[COOKIE]}) == 3, "each sign-in and sign-out has a new cookie"
        fields["proof"] = proof(rig, "/incidents")
        assert send(rig, "/silences", **fields)[0] == 401
        assert send(rig, "/silences", **fields, token="s3cret")[0] == 303
        fields["proof"] = proof(rig, "/incidents")
        rig.clock.now += SIGNED_IN_SECONDS + 1
        assert send(rig, "/silences", **fields)[0] == 401, "nor forever"
    finally:
        rig.close()


def test_a_cookie_that_was_planted_is_worth_nothing_after_a_sign_in(tmp_path: Path) -> None:
    rig = make(tmp_path, {"tokens": {"admin": "s3cret"}})
    try:
        rig.client.cookies.set(COOKIE, "planted-by-a-neighbour")
        fields = {"proof": proof(rig, "/incidents"), "by": "ann", "matchers": "nonsense", "for": "1d"}
        status, html = send(rig, "/silences", **fields, token="s3cret")
        assert (status, 'type="password"' in html) == (400, False), "signed in, though the form was wrong"
        rig.client.cookies.clear()
        rig.client.cookies.set(COOKIE, "planted-by-a-neighbour")
        assert send(rig, "/silences", **{**fields, "matchers": "rule=x"})[0] == 401
    finally:
        rig.close()


def test_times_that_cant_be_told_are_refused_before_a_page_or_a_message_shows_them(rig: Rig, opened: Incident) -> None:
    here = f"/incidents/{opened.id}"
    fields = {"proof": proof(rig, here), "by": "ann", "for": "9999999999999d"}
    assert send(rig, f"{here}/ack", **fields)[0] == 400
    assert send(rig, "/silences", **fields, matchers="rule=x")[0] == 400
    for ends_at in ("1e30", "nan", "inf"):
        body = {"matchers": ["rule=x"], "ends_at": ends_at}
        assert rig.client.post("/api/v1/silences", json=body, headers=OURS).status_code == 400
    assert rig.client.get(here).status_code == 200
    assert rig.client.get("/incidents").status_code == 200


def test_a_form_is_bounded(rig: Rig) -> None:
    fields = {
        "proof": proof(rig, "/incidents"),
        "by": "ann",
        "matchers": "rule=x",
        "for": "1d",
        "comment": "x" * 20_000,
    }
    status, said = send(rig, "/silences", **fields)
    assert (status, "over 16384 bytes" in said) == (413, True)
    assert send(rig, "/silences", **{**fields, "comment": "a\0b"})[0] == 400
