import pytest

from alerts.wording import Wording, clean
from checks.drift.methods.names import LABELS


def _render(summary: str) -> str:
    values = {"value": 0.612345, "level": 0.3, "worst": 0.7, "model": "delays", "labels": {"feature": "temp"}, "n": 9}
    return Wording(LABELS).render(summary, values, "fallback")


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("{{ labels.feature }} of {{ model }}: {{ value }} > {{ level }}", "temp of delays: 0.612 > 0.3"),
        ("{{ value | percent }} missing", "61.2% missing"),
        ("{{ labels.nothing }}x", "x"),
        ("", "fallback"),
        ("{{ value ", "fallback"),
        ("{{ value | nosuchfilter }}", "fallback"),
        ("{{ 1 / 0 }}", "fallback"),
        ("{{ value.nothing.more }}", "fallback"),
        ("{{ ''.__class__.__mro__ }}", "fallback"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "fallback"),
        ("{" * 9 + "(" * 5000, "fallback"),
        ("{{ labels.update({'a': 1}) }}", "fallback"),
        ("two\nlines", "two lines"),
        ("{{ 'psi' | method }}, {{ 'l_infinity' | method }}, {{ 'own' | method }}", "PSI, L-infinity distance, own"),
    ],
)
def test_summaries_are_filled_in_and_never_raise(summary: str, expected: str) -> None:
    assert _render(summary) == expected


def test_data_can_not_draw_on_a_terminal_or_reverse_text() -> None:
    assert clean("a\x1b[2Jb\u202ec\r\nd") == "a [2Jb c d"


def test_a_hundred_kilobytes_are_cut() -> None:
    assert len(_render("x" * 100_000)) == 4000


@pytest.mark.parametrize("text", ["{{ 'a' * 1000000000 }}", "{{ 9 ** 999999999 }}", "{{ [0] * 1000000000 }}"])
def test_much_is_not_made_of_little(text: str) -> None:
    assert _render(text) == "fallback"


def test_rendering_ends_where_no_more_is_shown() -> None:
    loop = "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}"
    assert len(_render(loop)) == 4000
