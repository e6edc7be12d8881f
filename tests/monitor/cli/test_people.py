"""Alerts, silences, version, database: what people ask of a store and of the receivers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import insert

from alerts.incidents.matcher import Matcher
from alerts.state.fingerprint import fingerprint
from alerts.state.state import AlertState, Status
from monitor.clock import SystemClock
from monitor.store.alerts.queries import AlertStore
from monitor.store.alerts.states import save_states
from monitor.store.engine import open_engine, writing
from monitor.store.tables import alerts
from monitor.store.writer import Writer
from tests.e2e.process import free_port
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack
from tests.monitor.alerting.alertmanager.test_push import strict
from tests.monitor.cli.conftest import Command


@pytest.fixture
def config(watchkeeper: Command) -> Path:
    path = Path("watchkeeper.yaml")
    path.write_text("model: delays\n")
    return path


@pytest.fixture
def database(config: Path, watchkeeper: Command) -> Path:
    assert watchkeeper("db", "upgrade").status == 0
    return Path("watchkeeper.db")


def test_version_is_quick_and_light() -> None:
    code = (
        "import sys; sys.argv = ['watchkeeper', 'version']\n"
        "from monitor.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pyarrow', 'pandas', 'sqlalchemy', 'alembic', 'litestar', 'yaml'} & sys.modules.keys()\n"
        "print(sorted(heavy))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    first, second = said.splitlines()
    assert first.startswith("watchkeeper 0.")
    assert second == "[]"


def test_help_lists_every_command(watchkeeper: Command) -> None:
    said = watchkeeper("--help").out
    for command in ("demo", "init", "check-config", "run", "reference", "alerts", "silence", "db", "version"):
        assert f" {command} " in said


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["run", "--nonsense"], ["silence", "add", "a=b"], ["demo", "--speed", "x"]]
)
def test_bad_usage_is_exit_status_2(watchkeeper: Command, arguments: list[str]) -> None:
    ran = watchkeeper(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err


def test_db_upgrade_says_what_it_did(config: Path, watchkeeper: Command) -> None:
    assert "(before: empty)" in watchkeeper("db", "upgrade").out
    assert "already" in watchkeeper("db", "upgrade").out


def test_a_store_without_tables_is_said_and_not_created(config: Path, watchkeeper: Command) -> None:
    for command in (["alerts", "list"], ["silence", "list"], ["reference", "list"], ["silence", "expire", "x"]):
        ran = watchkeeper(*command)
        assert ran.status == 1
        assert "there is nothing in database" in ran.err and "watchkeeper run" in ran.err
    assert not Path("watchkeeper.db").exists()


def test_a_silence_from_beginning_to_end(database: Path, watchkeeper: Command) -> None:
    assert watchkeeper("silence", "list").out == "no silences\n"
    ran = watchkeeper(
        "silence", "add", "rule=feature-drift", 'feature=~"temp|wind.*"', "--for", "2h", "--comment", "swap", "--json"
    )
    (made,) = json.loads(ran.out)
    assert made["state"] == "active"
    assert made["matchers"][1] == {"name": "feature", "op": "=~", "value": "temp|wind.*"}
    engine = open_engine(f"sqlite:///{database}")
    (stored,) = AlertStore(engine, Writer(engine)).silences(SystemClock().time())
    assert stored.matchers == (Matcher.parse("rule=feature-drift"), Matcher.parse("feature=~temp|wind.*"))
    assert stored.ends_at - stored.starts_at == 7200
    assert (stored.comment, bool(stored.created_by)) == ("swap", True)
    engine.dispose()
    assert made["id"] in watchkeeper("silence", "list").out
    assert watchkeeper("silence", "expire", made["id"]).out == f"silence {made['id']} has ended\n"
    assert watchkeeper("silence", "list").out == "no silences\n"
    assert "expired" in watchkeeper("silence", "list", "--expired").out


def test_a_silence_says_what_it_hits_and_one_that_can_never_hold_is_warned_of(
    database: Path, watchkeeper: Command
) -> None:
    ran = watchkeeper("silence", "add", 'severity="warning", rule=feature-drift', "--for", "2h")
    assert "holds until" in ran.out
    assert 'severity="warning": ' in ran.out and "of 3 known values of severity" in ran.out
    assert "all together: 1 of " in ran.out and "present alert" in ran.out
    assert ran.err == ""
    ran = watchkeeper("silence", "add", "alertname=feature-drift", "--for", "2h")
    assert "this silence holds nothing back: no alert has a label 'alertname'; did you mean 'rule'?" in ran.err
    assert ran.status == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nonsense", "--for", "1h"], "'nonsense' is no matcher"),
        (["a=~(", "--for", "1h"], "is no regular expression"),
        (["a=b", "--for", "soon"], "'soon' is no duration"),
        (["a=b", "--for", "0s"], "can't end in the past"),
        (["a=~.*", "--for", "1h"], "an alert without labels would not match"),
    ],
)
def test_a_silence_that_makes_no_sense(
    database: Path, watchkeeper: Command, arguments: list[str], expected: str
) -> None:
    ran = watchkeeper("silence", "add", *arguments)
    assert ran.status == 2
    assert expected in ran.err


def test_expiring_a_silence_that_is_not_there(database: Path, watchkeeper: Command) -> None:
    ran = watchkeeper("silence", "expire", "x")
    assert (ran.status, ran.err) == (1, "there is no silence x; `silence list` shows those there are\n")


def store_alert(database: Path, labels: dict[str, str], status: Status) -> None:
    state = AlertState(
        tuple(sorted(labels.items())), "missing_ratio", status, since=1_370_044_800.0, value=0.6, level=0.05, worst=0.7
    )
    row = {"model": "delays", "rule": "missing-values", "fingerprint": fingerprint(state.labels), "updated_at": 1.0}
    row |= {"labels": json.dumps(labels), "state": status.value, "memory": json.dumps(state.to_dict())}
    engine = open_engine(f"sqlite:///{database}")
    with writing(engine).begin() as connection:
        connection.execute(insert(alerts), row)
    engine.dispose()


def test_alerts_are_listed_with_what_is_wrong(database: Path, watchkeeper: Command) -> None:
    store_alert(database, {"feature": "temp\x1b[31m"}, Status.FIRING)
    store_alert(database, {"feature": "wind"}, Status.INACTIVE)
    (header, line) = watchkeeper("alerts", "list").out.splitlines()
    assert header.split() == ["STATE", "MODEL", "RULE", "LABELS", "VALUE", "LEVEL", "SINCE", "WHAT", "MOVED"]
    assert line.split() == [
        "firing", "delays", "missing-values", "feature=temp", "[31m", "60%", "5%", "2013-06-01T00:00:00Z"
    ]  # fmt: skip
    assert "wind" in watchkeeper("alerts", "list", "--all").out
    (found,) = json.loads(watchkeeper("alerts", "list", "--json", "--model", "delays").out)
    assert (found["rule"], found["labels"], found["value"]) == ("missing-values", {"feature": "temp\x1b[31m"}, 0.6)


def test_alerts_test_tells_every_receiver(config: Path, watchkeeper: Command) -> None:
    with FakeSlack() as slack:
        config.write_text(
            f"model: delays\nslack: {{channel: '{CHANNEL}', token: {TOKEN}, api_url: '{slack.api_url}'}}\n"
        )
        ran = watchkeeper("alerts", "test")
        assert (ran.status, ran.out) == (0, "console: sent\nslack: sent\n")
        (message,) = slack.messages
    assert "nothing is wrong" in ran.err
    assert "TEST: `watchkeeper alerts test`" in json.dumps(message.blocks)


def test_alerts_test_says_who_was_not_reached(config: Path, watchkeeper: Command) -> None:
    with FakeSlack() as slack:
        config.write_text(f"model: d\nslack: {{channel: '{CHANNEL}', token: hunter2, api_url: '{slack.api_url}'}}\n")
        ran = watchkeeper("alerts", "test")
        assert (ran.status, ran.out) == (1, "console: sent\nslack: failed\n")
        said = json.loads(watchkeeper("alerts", "test", "--json").out)
    assert ran.err.splitlines()[-1].startswith("slack: Slack refused: invalid_auth")
    assert [receiver["sent"] for receiver in said] == [True, False]
    assert "hunter2" not in ran.err


def test_alerts_test_tells_every_alertmanager_of_one_alert_that_ends_by_itself(
    config: Path, watchkeeper: Command
) -> None:
    with strict() as (url, kept):
        nobody = f"http://127.0.0.1:{free_port()}"
        config.write_text(f"model: d\nalertmanager: {{members: ['{url}', '{nobody}'], token: hunter2}}\n")
        ran = watchkeeper("alerts", "test")
    first, second = (f"alertmanager:{urlsplit(address).netloc}" for address in (url, nobody))
    assert (ran.status, ran.out) == (1, f"console: sent\n{first}: sent\n{second}: failed\n")
    assert f"{second}: connection refused" in ran.err and "hunter2" not in ran.err
    ((alert,),) = kept.bodies
    assert (alert["labels"]["alertname"], alert["labels"]["severity"]) == ("test", "info")
    assert "nothing is wrong" in alert["annotations"]["summary"]


def test_alerts_test_without_receivers(config: Path, watchkeeper: Command) -> None:
    config.write_text("model: d\nconsole: false\n")
    ran = watchkeeper("alerts", "test")
    assert (ran.status, ran.err) == (2, "the config names no receiver; add slack, alertmanager, or console: true\n")


def test_alerts_of_an_unknown_model(database: Path, watchkeeper: Command) -> None:
    ran = watchkeeper("alerts", "list", "--model", "delay")
    assert (ran.status, ran.err) == (2, "the config has no model 'delay'; it has delays\n")


def test_no_alerts(database: Path, watchkeeper: Command) -> None:
    assert watchkeeper("alerts", "list").out == "no alerts\n"
    assert json.loads(watchkeeper("alerts", "list", "--json").out) == []


def test_explain_says_why_a_rule_does_or_does_not_fire(database: Path, watchkeeper: Command) -> None:
    Path("watchkeeper.yaml").write_text(f"model: delays\nlisten: 127.0.0.1:{free_port()}\n")
    labels = (("feature", "temp"), ("method", "psi"))
    state = AlertState(labels, "feature_drift", status=Status.FIRING, value=3.2, level=0.1)
    with writing(open_engine("sqlite:///watchkeeper.db")).begin() as connection:
        save_states(connection, "delays", [("feature-drift", {}, {state.labels: state})], 1.0)
    ran = watchkeeper("alerts", "explain", "--rule", "feature-drift", "feature=temp", "--model", "delays")
    assert ran.status == 0
    assert ran.out.startswith("feature-drift on delays feature=temp method=psi\n  fingerprint ")
    assert "\n  judged        3.2 beyond 0.1\n" in ran.out
    assert "no daemon answers at 127.0.0.1" in ran.out
    (plain,) = json.loads(watchkeeper("alerts", "explain", "--rule", "feature-drift", "--json").out)
    assert watchkeeper("alerts", "explain", plain["fingerprint"], "--json").out == json.dumps([plain], indent=2) + "\n"
    never = watchkeeper("alerts", "explain", "--rule", "cpu-high").out
    assert "inactive: nothing with these labels has been judged" in never
    assert "did you mean 'cpu-high'?" in watchkeeper("alerts", "explain", "--rule", "cpu-hihg").err
    assert watchkeeper("alerts", "explain").status == 2
    assert watchkeeper("alerts", "explain", "0123456789abcdef").status == 1
