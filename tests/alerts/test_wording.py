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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
            "{% for %} can't be used",
        ),
        ("{{ range(10 ** 9) | list | length }}", "there is no filter 'list'"),
        ("{{ labels.values() }}", "a call with () can't be used; there are names, filters and if"),
        ("{{ value * 100 }}", "arithmetic can't be used"),
        ("{{ 'a' * 1000000000 }}", "arithmetic can't be used"),
        ("{{ model ~ model }}", "~ can't be used"),
        ("{% set a = model %}{{ a }}", "{% set %} can't be used"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", "{% macro %} can't be used"),
        ("{% include 'x' %}", "{% include %} can't be used"),
        ("{{ [1, 2] }}", "a list can't be used"),
        ("{{ model | center(1000000000) }}", "there is no filter 'center'"),
        ("{{ model | replace('a', model) }}", "there is no filter 'replace'"),
        ("{{ value | round(1000000000) }}", "what a filter is given must be a short text or a small number"),
        ("{{ model | default(model) }}", "what a filter is given must be"),
        ("{{ model | truncate(length=1000000000) }}", "what a filter is given must be"),
        ("{{ model" + " | upper" * 5000 + " }}", "it is longer than 20,000 characters"),
        ("{{ model" + " | upper" * 501 + " }}", "it has more than 500 parts"),
        ("x\n{{ value + 1 }}", "line 2: arithmetic can't be used"),
        ("{{ labels[model] }}", "[…] takes a text or a number"),
    ],
)
def test_what_could_run_or_grow_without_end_is_refused_with_its_place(text: str, said: str) -> None:
    found = Wording(LABELS).problem(text)
    assert found is not None and found.startswith(f"is no valid template: {said}")
    assert _render(text) == "fallback"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{% if value > level %}over{% else %}under{% endif %}", "over"),
        ("{{ 'big' if value > 0.5 and not model == 'x' else 'small' }}", "big"),
        ("{{ labels.feature | upper }} {{ labels['feature'] }}", "TEMP temp"),
        ("{{ labels.none | default('none') }} {{ value | round(1) }}", "none 0.6"),
        ("{% if labels.region is defined %}there{% endif %}gone", "gone"),
    ],
)
def test_names_filters_and_if_are_taken(text: str, shown: str) -> None:
    assert Wording(LABELS).problem(text) is None
    assert _render(text) == shown
