"""The log: nothing that comes from data begins a line of its own."""

from __future__ import annotations

import io
import logging
import re

import pytest

from monitor.log_lines import FORMAT, LineFormatter

FORGED = "x\n2026-12-01 00:00:00,000 INFO watchkeeper: all is well"
HEAD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (WARNING|ERROR) watchkeeper\.test: ")


@pytest.fixture
def lines() -> tuple[logging.Logger, io.StringIO]:
    log, stream = logging.Logger("watchkeeper.test"), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter(FORMAT))
    log.addHandler(handler)
    return log, stream


@pytest.mark.parametrize(
    "name", [FORGED, FORGED.replace("\n", "\r"), "a\u2028b", "a\x85b", "\x1b[2Jb\x0c", "ab\u202e", "\ud800"]
)
def test_a_record_is_one_line_whatever_is_in_it(lines: tuple[logging.Logger, io.StringIO], name: str) -> None:
    log, stream = lines
    log.warning("feature %s is missing", name)
    (line,) = stream.getvalue().splitlines()
    assert HEAD.match(line) and line.endswith(" is missing") and "all is well" not in line[:40]
    assert line.encode() and not set(line) & {"\u202e", "\x1b", "\ud800"}


def test_each_line_of_a_traceback_has_the_head_of_its_record(lines: tuple[logging.Logger, io.StringIO]) -> None:
    log, stream = lines
    try:
        raise ValueError(FORGED)
    except ValueError:
        log.exception("check of %s failed", "a\nb", stack_info=True)
    found = stream.getvalue().splitlines()
    assert HEAD.sub("", found[0]) == "check of a\\nb failed"
    assert all(HEAD.match(line) for line in found)
    assert all(HEAD.sub("", line).startswith("| ") for line in found[1:])
    assert any("| ValueError: x" in line for line in found)


def test_a_record_without_arguments_keeps_its_percent_signs(lines: tuple[logging.Logger, io.StringIO]) -> None:
    log, stream = lines
    log.warning("100 % of them")
    assert HEAD.sub("", stream.getvalue()) == "100 % of them\n"
