from time import thread_time

import pytest

from alerts.incidents.matcher import Matcher, Op
from alerts.incidents.silence import Silence, silenced

LABELS = {"model": "delays", "rule": "drift", "severity": "warning", "feature": "temp"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("feature=temp", True),
        ('feature = "temp"', True),
        ("feature=wind", False),
        ("feature!=wind", True),
        ("feature!=temp", False),
        ("feature=~te.*", True),
        ("feature=~em", False),  # anchored at both ends
        ("feature=~temp|wind", True),
        ("feature!~temp|wind", False),
        ("feature!~em", True),
        ("segment=", True),  # a label that is not there is empty
        ("segment!=", False),
        ("segment=~.*", True),
        ("segment=~.+", False),
    ],
)
def test_matchers_are_alertmanagers(text: str, expected: bool) -> None:
    assert Matcher.parse(text).matches(LABELS) is expected


def test_parse_reads_back_what_it_writes() -> None:
    matcher = Matcher("feature", Op.NOT_REGEX, "a|b")
    assert Matcher.parse(str(matcher)) == matcher
    assert Matcher.parse("rule=a=b").value == "a=b"


def _silence(*matchers: str, starts_at: float = 100.0, ends_at: float = 200.0, id: str = "s") -> Silence:
    return Silence(id, tuple(Matcher.parse(text) for text in matchers), starts_at, ends_at)


def test_every_matcher_must_match() -> None:
    assert silenced(LABELS, [_silence("feature=temp", "model=delays")], 150.0) is not None
    assert silenced(LABELS, [_silence("feature=temp", "model=fares")], 150.0) is None


@pytest.mark.parametrize(("now", "active"), [(99.9, False), (100.0, True), (199.9, True), (200.0, False)])
def test_lasts_from_its_start_until_its_end(now: float, active: bool) -> None:
    assert (silenced(LABELS, [_silence("feature=temp")], now) is not None) is active


def test_of_several_the_one_that_ends_last() -> None:
    several = [
        _silence("rule=drift", id="a"),
        _silence("rule=drift", ends_at=900.0, id="b"),
        _silence("rule=x", id="c"),
    ]
    found = silenced(LABELS, several, 150.0)
    assert found is not None
    assert found.id == "b"


def test_a_silence_of_everything_by_mistake_is_refused() -> None:
    for matchers in ((), ("feature=",), ("feature=~.*",)):
        with pytest.raises(ValueError, match="matcher"):
            _silence(*matchers)
    with pytest.raises(ValueError, match="end before"):
        _silence("rule=x", ends_at=1.0)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*b",
        "(a|aa)+",
        "(?:a*)*",
        "(a?){60}a{60}",
        "(?:a?){8}" * 3,
        ".*.*.*.*x",
        "a?" * 60 + "a" * 60,
        "(?=(a+)+$)",
        "(x)?(?(1)(a+)+|b)",
        "((a{1,9}){1,9}){1,9}",
        "a" * 1001,
    ],
)
def test_no_expression_stops_everything(pattern: str) -> None:
    for op in (Op.REGEX, Op.NOT_REGEX):
        start = thread_time()
        try:
            Matcher("feature", op, pattern).matches({"feature": "a" * 2000 + "!"})
        except ValueError as error:
            assert "RE2" in str(error) or "at most" in str(error)
        assert thread_time() - start < 0.5


@pytest.mark.parametrize(
    "pattern",
    [
        "temp|wind.*",
        ".*temp.*",
        "(temp|wind)_[0-9]+",
        "(?i)(a|b)(c|d)?",
        ".*a.*b.*",
        "(?:ab)+",
        "f[0-9]{1,3}",
        "(ab?){3}",
    ],
)
def test_an_ordinary_expression_is_taken_and_quick_on_the_worst_value(pattern: str) -> None:
    matcher = Matcher.parse(f'feature=~"{pattern}"')
    start = thread_time()
    matcher.matches({"feature": "a" * 199 + "!"})
    assert thread_time() - start < 0.5


def test_a_value_of_any_length_is_judged() -> None:
    assert Matcher.parse("feature=~x.*").matches({"feature": "x" * 5000})
    assert not Matcher.parse("feature!~x.*").matches({"feature": "x" * 5000})


def test_a_silence_that_would_be_refused_today_holds_until_it_ends_and_is_named() -> None:
    labels = {"feature": "temp"}
    for value in ("(?!wind).*", "temp\\Z", "(?=te).*p"):
        stored = Silence("s", (Matcher("feature", Op.REGEX, value, stored=True),), 100.0, 200.0)
        assert silenced(labels, [stored], 150.0) is stored
        assert silenced(labels, [stored], 200.0) is None
        assert "RE2 refuses" in stored.problem and "add it anew" in stored.problem
    assert _silence("feature=~temp.*").problem == ""
