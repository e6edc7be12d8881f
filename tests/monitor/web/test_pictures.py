"""Pictures over HTTP: as they were stored, shut in, and shown with their incident."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.incidents.incident import PictureLink
from monitor.store.alerts import pictures
from monitor.store.alerts.states import save_incident
from tests.alerts.builders import incident
from tests.monitor.pipeline.test_incident_pictures import column
from tests.monitor.web.rig import NOW, Rig

LINK = PictureLink("0a-1b", 'fuel: <b>"moved"</b>', NOW - 3600.0, NOW)
IMAGES = {"svg": b"<svg/>", "png": b"\x89PNG"}


def keep(rig: Rig, *, drawn: bool = True) -> None:
    own = replace(incident(), picture=LINK)
    with rig.engine.begin() as connection:
        save_incident(connection, own)
        pictures.add(connection, own, LINK, [column()], NOW)
    if drawn:
        pictures.keep(rig.engine, LINK.id, IMAGES)


@pytest.mark.parametrize(("kind", "media"), [("svg", "image/svg+xml"), ("png", "image/png")])
def test_a_picture_is_served_as_it_was_stored_and_shut_in(rig: Rig, kind: str, media: str) -> None:
    keep(rig)
    reply = rig.client.get(f"/pictures/0a-1b.{kind}")
    assert (reply.content, reply.headers["content-type"]) == (IMAGES[kind], media)
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; ")
    assert "script" not in policy
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_another_is_one_sentence(rig: Rig) -> None:
    keep(rig)
    for name in ("nowhere.png", "0a-1b", "0a-1b.gif", "..%2f..%2fetc%2fpasswd", "x" * 100):
        reply = rig.client.get(f"/pictures/{name}")
        assert reply.status_code in (400, 404)
        assert set(reply.json()) == {"error"}


def test_the_page_shows_it_with_its_words_once_it_is_drawn(rig: Rig) -> None:
    keep(rig, drawn=False)
    here = f"/incidents/{incident().id}"
    assert "/pictures/" not in rig.client.get(here).text
    pictures.keep(rig.engine, LINK.id, IMAGES)
    reply = rig.client.get(here)
    assert '<img class="picture" src="/pictures/0a-1b.svg" alt="fuel: &lt;b&gt;&#34;moved&#34;&lt;/b&gt;"' in reply.text
    assert "img-src 'self' data:" in reply.headers["content-security-policy"]
