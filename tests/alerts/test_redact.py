import logging
import sys
from collections.abc import Iterator

import pytest

from alerts import redact
from alerts.redact import hide, redacted, shown_url, url_secrets
from monitor.log_lines import LineFormatter
from monitor.store.engine import StoreError, open_engine
from monitor.telemetry.health import Health


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    before = list(redact._hidden)
    yield
    redact._hidden[:] = before


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2x@db:5432/w",
        "postgresql://db:5432/w?password=hunter2x",
        "postgresql://me@db/w?sslmode=require&sslpassword=hunter2x",
        "postgresql://db/w?password=hunter2x@db",
        "postgresql://me:pa?hunter2x@db/w",
        "postgresql://me:pa#hunter2x@db/w",
        "https://hunter2x@h/health",
        "https://h/health?hunter2x",
        "https://h/health?api_key=hunter2x#x",
        "http://[::1/w?token=hunter2x",
        "postgresql://me:hunter2x@db:port/w",
    ],
)
def test_no_part_of_a_url_that_may_be_secret_is_shown(url: str) -> None:
    assert "hunter2x" not in shown_url(url)
    assert "hunter2x" not in redact.without(url, url_secrets(url)) or "[" in url or "?hunter" in url or "#hunter" in url


def test_what_is_no_secret_of_a_url_is_shown() -> None:
    assert shown_url("sqlite:////data/w.db") == "sqlite:////data/w.db"
    assert shown_url("postgresql://me@db:5432/w?sslmode=require") == "postgresql://db:5432/w"
    assert url_secrets("postgresql://watch:watch@db/watch?sslmode=require&connect_timeout=10") == set()


@pytest.mark.parametrize("url", ["postgresql://me:hunter2x@h:hunter3x/d", "nosuch+driver://me:hunter2x@h/d?k=hunter3x"])
def test_a_database_that_can_not_be_opened_shows_no_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_engine(url)
    said = str(caught.value).replace(shown_url(url), "")
    assert "hunter2x" not in said and "hunter3x" not in said
    assert caught.value.__cause__ is None


def test_a_log_line_and_its_traceback_show_nothing_that_is_hidden() -> None:
    hide(["hunter2x", "abc"])
    try:
        raise RuntimeError("refused: hunter2x")
    except RuntimeError:
        record = logging.LogRecord("watchkeeper", logging.ERROR, "x.py", 1, "%s abc", ("hunter2x",), sys.exc_info())
    line = LineFormatter("%(message)s").format(record)
    assert "hunter2x" not in line
    assert line.startswith("**** abc\n"), "what is short stands in any word"
    assert "RuntimeError: refused: ****" in line


def test_readyz_and_the_api_show_nothing_that_is_hidden() -> None:
    hide(["hunter2x"])
    health = Health()
    health.report("database", "can't log in with hunter2x")
    health.ingest("not with hunter2x")
    assert (health.degraded(), health.not_ready()) == ({"database": "can't log in with ****"}, "not with ****")
    assert redacted({"a": ["hunter2x", {"b": "xhunter2xx"}], "n": 1}) == {"a": ["****", {"b": "x****x"}], "n": 1}
