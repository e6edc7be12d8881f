from __future__ import annotations

from pathlib import Path

import pytest

from monitor.cli.doctor.alertmanager import alertmanager, members
from monitor.cli.doctor.clock_offset import TimedClient
from monitor.settings.alertmanager import AlertmanagerSettings
from tests.e2e.process import free_port
from tests.fakes.peer import Answer, Peer, says, says_json
from tests.monitor.cli.doctor.conftest import Configure, only
from tests.servers.alertmanager import Alertmanager


def test_a_member_that_is_well(tmp_path: Path, client: TimedClient) -> None:
    with Alertmanager(tmp_path) as real:
        found = only(alertmanager(AlertmanagerSettings(members=[real.url]), real.url, client))
    assert (found.status.value, found.found.startswith("release 0.")) == ("ok", True), found
    assert "cluster disabled" in found.found or "cluster ready" in found.found


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says_json({"versionInfo": {"version": "0.25"}, "cluster": {"status": "settling"}}), "cluster settling"),
        (says("no"), "no Alertmanager"),
        (says_json([1]), "no Alertmanager"),
        (says_json({"versionInfo": "x"}), "no Alertmanager"),
        (says("", 404), "answers 404 Not Found"),
        (says("", 401), "answers 401 Unauthorized"),
    ],
)
def test_what_else_may_answer(client: TimedClient, answer: Answer, said: str) -> None:
    with Peer(answer) as peer:
        found = only(alertmanager(AlertmanagerSettings(members=[peer.url], token="hunter2"), peer.url, client))
        assert peer.requests[0].headers["Authorization"] == "Bearer hunter2"
    assert (found.status.value, said in found.found) == ("problem", True), found
    assert found.todo and "hunter2" not in found.found + found.todo


def test_one_that_is_not_there_or_hangs(client: TimedClient) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    found = only(alertmanager(AlertmanagerSettings(members=[gone]), gone, client))
    assert (found.status.value, found.found) == ("problem", "connection refused")
    with Peer(says()) as peer:
        peer.answer = peer.hang
        found = only(alertmanager(AlertmanagerSettings(members=[peer.url], timeout=0.1), peer.url, client))
    assert (found.status.value, found.found) == ("problem", "no answer within 0.1 s")


def test_none(configure: Configure, client: TimedClient) -> None:
    assert members(configure("model: a\n")) == [("alertmanager", "")]
    assert only(alertmanager(None, "", client)).status.value == "off"
