from __future__ import annotations

import time
from math import inf

import pytest

from monitor.collectors.server.exposition import LINE_BYTES, lines, sample

# What splits a line, or is a blank, for Python alone.
ODD = "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e\xa0\u3000\u1680"


@pytest.mark.parametrize("odd", ODD)
def test_only_lf_ends_a_line(odd: str) -> None:
    """A path of a visitor's choice stands in a label; what Python takes for a line's end must not end it."""
    line = f'a_total{{path="/x{odd}y"}} 1'
    (found,) = lines(f"{line}\nb 2\n".encode(), ["a_total"])
    assert sample(found) == ("a_total", {"path": f"/x{odd}y"}, 1.0)
    with pytest.raises(ValueError, match="no value"):
        sample(f"a_total{odd}1")
    with pytest.raises(ValueError, match="no value"):
        sample(f"a_total 1{odd}")


@pytest.mark.parametrize(
    ("line", "labels", "value"),
    [
        ("a 1", {}, 1.0),
        ("a\t1 1700000000000", {}, 1.0),
        ("a 1 -5", {}, 1.0),
        ("a{} .5", {}, 0.5),
        ('a {b="c"} 1e3', {"b": "c"}, 1000.0),
        ('a{ b = "c" , d="" , }1.', {"b": "c", "d": ""}, 1.0),
        ('a{b="c"d="e"} +Inf', {"b": "c", "d": "e"}, inf),
        (r'a{b="\"\\\n\t"} infinity', {"b": '"\\\n\\t'}, inf),
        ('a{b="}, # "} 1  ', {"b": "}, # "}, 1.0),
        ('a_bucket{le="1"} 5 # {trace_id="x"} 0.67 1700000000.1', {"le": "1"}, 5.0),
        ('a{le="1"} 5 1.5e9 # {} 1', {"le": "1"}, 5.0),
        ("a -1", {}, -1.0),
    ],
)
def test_a_line_as_prometheus_reads_it(line: str, labels: dict[str, str], value: float) -> None:
    assert sample(line)[1:] == (labels, value)


@pytest.mark.parametrize(
    "line",
    [
        *("a", "a ", "a{", 'a{b="c', 'a{b="c"', "a{b=c} 1", "a{5} 1", 'a{b="c",b="d"} 1', "1a 1", ' a{b="\\"} 1'),
        *("a 1_0", "a ٣", "a 0x10", "a +nan", "a 1e", "a 1 2 3", "a 1 x", "a 1# {} 1", "a one", "a 1\r", "a --1"),
    ],
)
def test_a_line_that_prometheus_refuses(line: str) -> None:
    with pytest.raises(ValueError, match="a"):
        sample(line)


def test_the_refusal_of_cr_lf_says_so() -> None:
    (line,) = lines(b"a 1\r\n", ["a"])
    with pytest.raises(ValueError, match="CR LF"):
        sample(line)


def test_blanks_before_a_line_and_no_lf_after_the_last() -> None:
    assert list(lines(b" \ta 1\n\t# TYPE a counter\n\nb 1\n  a 2", ["a"])) == ["a 1", "# TYPE a counter", "a 2"]


def test_bytes_that_are_no_utf_8_are_kept_apart() -> None:
    first, second = (sample(line) for line in lines(b'a{b="\xff"} 1\na{b="\xfe"} 2\n', ["a"]))
    assert first.labels != second.labels


def test_a_line_has_a_bound_and_the_longest_takes_no_time() -> None:
    with pytest.raises(ValueError, match="longer than 256 KiB"):
        list(lines(b'a{b="' + b"x" * LINE_BYTES + b'"} 1\n', ["a"]))
    begun = time.process_time()
    with pytest.raises(ValueError, match="no value"):
        sample('a{b="' + "\\n" * (LINE_BYTES // 2 - 10) + '"} x')
    with pytest.raises(ValueError, match="no value"):
        sample("a " + "1" * LINE_BYTES + " " * 1000 + "x")
    assert time.process_time() - begun < 1.0
