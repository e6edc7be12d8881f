"""Matchers mean what Alertmanager means by them; its own tests' cases, parser by parser, are the tables here."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.incidents.matcher import LENGTH, Matcher, Op, refusal
from alerts.incidents.matcher_syntax import classic, utf8

# From matcher/parse/parse_test.go: what the parser for UTF-8 label names reads.
UTF8 = {
    "": [],
    "{}": [],
    "{foo=bar}": [("foo", "=", "bar")],
    "{foo=bar,}": [("foo", "=", "bar")],
    "{foo!=bar}": [("foo", "!=", "bar")],
    "{foo=~[a-z]+}": [("foo", "=~", "[a-z]+")],
    "{foo!~[a-z]+}": [("foo", "!~", "[a-z]+")],
    "{foo=🙂}": [("foo", "=", "🙂")],
    "{foo=🙂bar}": [("foo", "=", "🙂bar")],
    "foo=bar": [("foo", "=", "bar")],
    "foo=bar,": [("foo", "=", "bar")],
    "foo!=bar": [("foo", "!=", "bar")],
    "foo=~[a-z]+": [("foo", "=~", "[a-z]+")],
    "foo!~[a-z]+": [("foo", "!~", "[a-z]+")],
    '{"foo"="bar"}': [("foo", "=", "bar")],
    '{"foo"="bar",}': [("foo", "=", "bar")],
    '{"foo"!="bar"}': [("foo", "!=", "bar")],
    '{"foo"=~"[a-z]+"}': [("foo", "=~", "[a-z]+")],
    r'{"foo"=~"\\d+"}': [("foo", "=~", r"\d+")],
    '{"foo"!~"[a-z]+"}': [("foo", "!~", "[a-z]+")],
    '{"foo"="🙂"}': [("foo", "=", "🙂")],
    r'{"foo"="\xf0\x9f\x99\x82"}': [("foo", "=", "🙂")],
    r'{"foo"="\U0001f642"}': [("foo", "=", "🙂")],
    '{"foo"="🙂bar"}': [("foo", "=", "🙂bar")],
    r'{"foo"="bar\n"}': [("foo", "=", "bar\n")],
    r'{"foo"="bar\t"}': [("foo", "=", "bar\t")],
    r'{"foo"="\"bar\""}': [("foo", "=", '"bar"')],
    r'{"foo"="bar\\"}': [("foo", "=", "bar\\")],
    '"foo"="bar"': [("foo", "=", "bar")],
    '"foo"="bar",': [("foo", "=", "bar")],
    "{foo=bar,bar!=baz}": [("foo", "=", "bar"), ("bar", "!=", "baz")],
    '{foo="bar",bar!="baz"}': [("foo", "=", "bar"), ("bar", "!=", "baz")],
    "foo=bar,bar!=baz": [("foo", "=", "bar"), ("bar", "!=", "baz")],
    'foo="bar",bar!="baz"': [("foo", "=", "bar"), ("bar", "!=", "baz")],
    # Thought of here.
    ' { "a b" = "c" , d =~ "e,f" } ': [("a b", "=", "c"), ("d", "=~", "e,f")],
    r'a="\101\a\u00e9"': [("a", "=", "A\aé")],
    "a\u00a0=\u2003b": [("a", "=", "b")],
}
UTF8_REFUSED = [
    ",",
    "{,}",
    "{",
    "}",
    "foo=bar}",
    "{foo=bar",
    '{foo=:"bar"}',
    r'{foo="bar\w"}',
    r'{"foo"=~"\d+"}',
    r"{foo=bar\n}",
    r'{"foo"="\xf0\x9f"}',
    r'foo="\xf0\x9f"',
    # Thought of here.
    "foo=bar bar=baz",
    "foo=bar,,bar=baz",
    "foo==bar",
    "foo!bar",
    "=bar",
    'foo="bar',
    'foo="a\nb"',
    r'foo="\ud800"',
    "{{foo=bar}}",
    "foo=bar,=",
]
# From pkg/labels/parse_test.go: what the classic parser reads.
CLASSIC = {
    "{}": [],
    "{foo='}": [("foo", "=", "'")],
    "{foo=`}": [("foo", "=", "`")],
    r"{foo=\"}": [("foo", "=", '"')],
    "{foo=bar}": [("foo", "=", "bar")],
    '{foo="bar"}': [("foo", "=", "bar")],
    "{foo=~bar.*}": [("foo", "=~", "bar.*")],
    '{foo=~"bar.*"}': [("foo", "=~", "bar.*")],
    "{foo!=bar}": [("foo", "!=", "bar")],
    '{foo!="bar"}': [("foo", "!=", "bar")],
    "{foo!~bar.*}": [("foo", "!~", "bar.*")],
    '{foo!~"bar.*"}': [("foo", "!~", "bar.*")],
    '{foo="bar", baz!="quux"}': [("foo", "=", "bar"), ("baz", "!=", "quux")],
    '{foo="bar", baz!~"quux.*"}': [("foo", "=", "bar"), ("baz", "!~", "quux.*")],
    '{foo="bar",baz!~".*quux", derp="wat"}': [("foo", "=", "bar"), ("baz", "!~", ".*quux"), ("derp", "=", "wat")],
    '{foo="bar", baz!="quux", derp="wat"}': [("foo", "=", "bar"), ("baz", "!=", "quux"), ("derp", "=", "wat")],
    '{foo="bar", baz!~".*quux.*", derp="wat"}': [("foo", "=", "bar"), ("baz", "!~", ".*quux.*"), ("derp", "=", "wat")],
    '{foo="bar", instance=~"some-api.*"}': [("foo", "=", "bar"), ("instance", "=~", "some-api.*")],
    '{foo=""}': [("foo", "=", "")],
    '{foo="bar,quux", job="job1"}': [("foo", "=", "bar,quux"), ("job", "=", "job1")],
    '{foo = "bar", dings != "bums", }': [("foo", "=", "bar"), ("dings", "!=", "bums")],
    "foo=bar,dings!=bums": [("foo", "=", "bar"), ("dings", "!=", "bums")],
    r'{quote="They: \"Hi, all! That\'s it…\""}'.replace(r"\'", "'"): [("quote", "=", 'They: "Hi, all! That\'s it…"')],
    'statuscode=~"5.."': [("statuscode", "=~", "5..")],
    "tricky=~~~": [("tricky", "=~", "~~")],
    r"trickier==\\=\=\"": [("trickier", "=", r"=\=\="[:-1] + '="')],
    r'contains_quote != "\"" , contains_comma !~ "foo,bar" , ': [
        ("contains_quote", "!=", '"'),
        ("contains_comma", "!~", "foo,bar"),
    ],
    "{foo=bar}}": [("foo", "=", "bar}")],
    "{foo=bar}},}": [("foo", "=", "bar}}")],
    "{foo=,bar=}}": [("foo", "=", ""), ("bar", "=", "}")],
    r"{foo=bar\t}": [("foo", "=", r"bar\t")],
    r"{foo=bar\n}": [("foo", "=", "bar\n")],
    r"{foo=bar\}": [("foo", "=", "bar\\")],
    r"{foo=bar\\}": [("foo", "=", "bar\\")],
    r"{foo=bar\"}": [("foo", "=", 'bar"')],
    "job=": [("job", "=", "")],
    "{foo=": [("foo", "=", "")],
    "{foo=}b": [("foo", "=", "}b")],
    # Thought of here.
    "": [],
    r'a="x\\n",b=y': [("a", "=", r"x\n"), ("b", "=", "y")],
    "a:b = c d ": [("a:b", "=", "c d")],
    "rule=a=b": [("rule", "=", "a=b")],
    'a="one\ntwo"': [("a", "=", "one\ntwo")],
}
CLASSIC_REFUSED = [
    ",",
    "{,}",
    'job="value',
    'job=value"',
    r'trickier==\\=\=\""',
    'contains_unescaped_quote = foo"bar',
    '{invalid-name = "valid label"}',
    r'"{foo=\"bar"}',
    r'"foo=\"bar"',
    r'"foo=\"bar\""',
    r'"foo=\"bar\"',
    r'"{foo=\"bar\"}"',
    '"foo="bar""',
    "{{foo=",
    # Thought of here.
    "a=b,,c=d",
    '"a"=b',
    r'a="b\"',
]


@pytest.mark.parametrize("text", UTF8)
def test_the_parser_for_utf8_reads_what_alertmanagers_does(text: str) -> None:
    assert utf8(text) == UTF8[text]


@pytest.mark.parametrize("text", CLASSIC)
def test_the_classic_parser_reads_what_alertmanagers_does(text: str) -> None:
    assert classic(text) == CLASSIC[text]


@pytest.mark.parametrize("text", UTF8_REFUSED)
def test_the_parser_for_utf8_refuses_what_alertmanagers_does(text: str) -> None:
    with pytest.raises(ValueError):
        utf8(text)


@pytest.mark.parametrize("text", CLASSIC_REFUSED)
def test_the_classic_parser_refuses_what_alertmanagers_does(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no matcher; write|quote the whole value"):
        classic(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("foo=bar", [("foo", "=", "bar")]),
        ("foo🙂=bar", [("foo🙂", "=", "bar")]),  # only the one for UTF-8
        ("{foo🙂=bar,bar=baz🙂}", [("foo🙂", "=", "bar"), ("bar", "=", "baz🙂")]),
        (r"foo=!bar\n", [("foo", "=", "!bar\n")]),  # only the classic one
        (r"{foo=!bar,bar=$baz\n}", [("foo", "=", "!bar"), ("bar", "=", "$baz\n")]),
        (r'foo="\xf0\x9f\x99\x82"', [("foo", "=", r"\xf0\x9f\x99\x82")]),  # both, and the classic one decides
        (r'foo=~"\u0041.*"', [("foo", "=~", "A.*")]),  # RE2 refuses what the classic one reads
        ('severity="critical", model="delays"', [("severity", "=", "critical"), ("model", "=", "delays")]),
        ("severity=critical,model=delays", [("severity", "=", "critical"), ("model", "=", "delays")]),
        ("{}", []),
    ],
)
def test_where_the_parsers_disagree_the_classic_one_decides(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(m.name, m.op.value, m.value) for m in Matcher.read(text)] == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no matcher; write name=value"),
        ("{}", "no matcher"),
        ("feature", "no matcher"),
        ("=temp", "no matcher"),
        ("feature~temp", "no matcher"),
        ("foo!bar", "no matcher"),
        ('job="value', "quote the whole value"),
        ("feature=~(", r"'\(' is no regular expression that RE2 takes: missing \)"),
        ('{foo=~"invalid[regexp"}', "missing ]"),
        ("feature=~(?=x)", "invalid perl operator"),
        (r'feature=~"(a)\\1"', "invalid escape sequence"),
        ("feature=~" + "a" * (LENGTH + 1), f"at most {LENGTH} characters"),
        ("feature=~f[0-9]{1,3}|x", "no matcher"),  # a comma outside of quotes ends a matcher
        ("feature=~f[0-9]{3}", "brace at one end alone"),  # Alertmanager takes the brace away
        ("{feature=x", "brace at one end alone"),
        ("feature=\udcff", "not valid UTF-8"),
    ],
)
def test_what_is_no_matcher_is_said_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Matcher.parse_all(text)


def test_one_matcher_is_one() -> None:
    with pytest.raises(ValueError, match="is 2 matchers"):
        Matcher.parse("a=b,c=d")
    assert Matcher.parse("{a=b,}") == Matcher("a", Op.EQUAL, "b")
    with pytest.raises(ValueError, match="names a label"):
        Matcher("", Op.EQUAL, "b")


# From pkg/labels/matcher_test.go, on the label `l`.
@pytest.mark.parametrize(
    ("op", "pattern", "value", "expected"),
    [
        ("=", "bar", "bar", True),
        ("=", "bar", "foo-bar", False),
        ("!=", "bar", "bar", False),
        ("!=", "bar", "foo-bar", True),
        ("=~", "bar", "bar", True),
        ("=~", "bar", "foo-bar", False),
        ("=~", ".*bar", "foo-bar", True),
        ("!~", "bar", "bar", False),
        ("!~", "bar", "foo-bar", True),
        ("!~", ".*bar", "foo-bar", False),
        ("=~", "foo.bar", "foo-bar", True),
        ("=~", r"foo\.bar", "foo-bar", False),
        ("=~", r"foo\.bar", "foo.bar", True),
        ("=", "foo\nbar", "foo\nbar", True),
        # Alertmanager needs (?s) for this; here, as in Prometheus 3, any text is any text.
        ("=~", "foo.bar", "foo\nbar", True),
        ("=~", "(?s)foo.bar", "foo\nbar", True),
        ("=~", "(?-s)foo.bar", "foo\nbar", False),
        ("=", '~!="', '~!="', True),
        # Thought of here.
        ("=~", "temp.*", "temp\nout", True),
        ("=~", "temp$", "temp\n", False),
        ("=~", "a|b", "ab", False),
        ("=~", "a|bc", "bc", True),
        ("=~", "^a|b$", "b", True),
        ("=~", "", "", True),
        ("=~", "a|", "", True),
        ("=~", "(?i)TEMP", "temp", True),
        ("=~", ".", "é", True),
        ("=~", "x.*", "x" * 100_000, True),
    ],
)
def test_a_matcher_matches_what_alertmanagers_does(op: str, pattern: str, value: str, expected: bool) -> None:
    assert Matcher("l", Op(op), pattern).matches({"l": value}) is expected


# From pkg/labels/matcher_test.go.
@pytest.mark.parametrize(
    ("name", "op", "value", "text"),
    [
        ("foo", "=", "bar", 'foo="bar"'),
        ("foo", "!=", "bar", 'foo!="bar"'),
        ("foo", "=~", "bar", 'foo=~"bar"'),
        ("foo", "!~", "bar", 'foo!~"bar"'),
        ("foo", "=", r"back\slash", r'foo="back\\slash"'),
        ("foo", "=", 'double"quote', r'foo="double\"quote"'),
        ("foo", "=", "new\nline", r'foo="new\nline"'),
        ("foo", "=", "tab\tstop", 'foo="tab\tstop"'),
        ("foo", "=", "🙂", 'foo="🙂"'),
        ("foo!", "!=", "bar", '"foo!"!="bar"'),
        ("foo🙂", "=", "bar", 'foo🙂="bar"'),
        ("foo bar", "=", "baz", '"foo bar"="baz"'),
    ],
)
def test_the_text_of_a_matcher_is_alertmanagers(name: str, op: str, value: str, text: str) -> None:
    assert str(Matcher(name, Op(op), value)) == text


TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\\"\n,{}=~! \t\x85a'), max_size=8)


@given(st.lists(st.tuples(TEXT.filter(bool), st.sampled_from(["=", "!="]), TEXT), min_size=1, max_size=3))
@settings(max_examples=150)
def test_the_text_of_matchers_reads_back_as_the_same(parts: list[tuple[str, str, str]]) -> None:
    matchers = tuple(Matcher(name, Op(op), value) for name, op, value in parts)
    for matcher in matchers:
        assert Matcher.parse(str(matcher)) == matcher
    if all(name.isascii() and name.isalpha() for name, _, _ in parts):
        assert Matcher.read(",".join(map(str, matchers))) == matchers


def test_an_expression_that_was_accepted_earlier_holds_on_and_is_named() -> None:
    for op, expected in ((Op.REGEX, True), (Op.NOT_REGEX, False)):
        matcher = Matcher("feature", op, "(?=te)te.*", stored=True)
        assert matcher.matches({"feature": "temp"}) is expected
        assert not matcher.matches({"feature": "te" * 101}), "Python's matcher judges short values only"
        assert "(?=te)" in matcher.problem and "invalid perl operator" in matcher.problem
    assert not Matcher("feature", Op.REGEX, "(", stored=True).matches({"feature": "("})
    assert Matcher("feature", Op.REGEX, "te.*", stored=True).problem == ""


def test_names_with_bars_between_them_need_no_engine() -> None:
    code = (
        "import sys; from alerts.incidents.matcher import Matcher; "
        "from monitor.settings.root import Config; shipped = Config.model_fields['inhibitions'].get_default(); "
        "assert shipped[0].holds_back({'rule': 'no-traffic'}, [{'rule': 'server-down'}]); "
        "m = Matcher.parse('rule=~\"cpu-high|disk-full\"'); assert m.matches({'rule': 'disk-full'}); "
        "assert 're2' not in sys.modules; "
        "assert Matcher.parse('rule=~cpu.*').matches({'rule': 'cpu-high'}); assert 're2' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert refusal("a|b") == ""
