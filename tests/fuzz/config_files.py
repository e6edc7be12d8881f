"""Broken config files: sections of the example with their lines, values and bytes spoilt."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

from monitor.config import handover
from monitor.config.errors import ConfigError
from monitor.config.load import read
from tests.fuzz.inputs import Part

EXAMPLE = (Path(__file__).parent.parent.parent / "config" / "example.yaml").read_text("utf-8")
ENVIRONMENT = {"NAME": "value", "PORT": "9797", "EMPTY": "", "SECRET": "canary-9f8e7d6c", "ODD": "a\x00b\ud800\u2028"}
_KEY = re.compile(r"^( *(?:- )?[\w-]+: *)(.*)$")
_VALUES = [
    *("!!int x", "!!int ''", "!!float x", "!!bool x", "!!null x", "!!timestamp x", "!!binary '*'", "!!binary aGk="),
    *("!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]", "!!python/object/apply:os.getpid []", "!own 1", "!!str [a]"),
    *("2024-13-45", "2024-02-30", "0000-00-00", "2024-02-30T25:61:61Z", "2024-01-01 00:00:00 +99:99", "2024-01-01"),
    *("190:20:30", "-1:60", "1:1", "0x", "0xfg", "0b2", "0o9", "0777", "1_000", "_", "1e999", "-1e999", "1e12", "1e-9"),
    *(".nan", ".inf", "-.inf", "-1", "0", "0s", "-5m", "1e12d", "99999999999999999999s", "5 m", "1h1h", "half an hour"),
    *("~", "", "''", '""', "'", '"', "true", "yes", "on", "[]", "{}", "[[]]", "{a: {}}", "[,]", "{,}", "[1, [2, [3]]]"),
    *("&a *a", "&a [*a]", "*undefined", "&a {b: *a}", "<<: 5", "{<<: [1, 2]}", "{<<: {a: 1}}", "? [a]", "{[a]: b}"),
    *(
        '"\\x00"',
        '"\\ud800"',
        '"\\U0010FFFF"',
        '"\\U00110000"',
        '"\\q"',
        '"\\n"',
        '"\\e[31m"',
        '"\\u202e"',
        "\u2028",
        "é",
    ),
    *(
        "${NAME}",
        "${PORT}",
        "${EMPTY}",
        "${SECRET}",
        "${ODD}",
        "${MISSING}",
        "${MISSING:-x}",
        "${A:-${NAME}}",
        "${",
        "$NAME",
    ),
    *("${A:-${B:-${C:-x}}}", "${A:-${B}", "${NAME", "${1}", "$${NAME}", "${NAME:-}", "${A:-" * 40, "$", "}"),
    *(
        "http://a:99999",
        "http://a:b",
        "http://[::1",
        "http://[a]",
        "http://",
        "http://\u2028",
        "http://user:pw@h",
        "ftp://h",
    ),
    *(
        "http://h:",
        "http://h:0",
        "http://h:-1",
        "http://%zz",
        "//h",
        "h:1:2",
        ":0",
        "host:port",
        "127.0.0.1:99999",
        "[::]:0",
    ),
    *("http://h:\u0661", "127.0.0.1:\u00b2", "127.0.0.1:1e3", "127.0.0.1: 1", "h\u0000:1", "postgresql://u:p@h:port/d"),
    *(
        "sqlite:///x?y=%",
        "sqlite://",
        "nosql://x",
        "postgresql://[::1/d",
        "postgresql+x://h",
        ":memory:",
        "mysql://h/d",
    ),
    *("#channel", "@", "`", "%", "|", ">", "|+9", "- - - x", "? x", ": x", "a: b: c", "[", "]", "{", "}", "a\tb", "\t"),
    *(
        "{{ value }}",
        "'{{ value'",
        "'{% if %}'",
        "'{{ 1/0 }}'",
        "'{% for i in range(9**9) %}x{% endfor %}'",
        "'{{ a.b }}'",
    ),
    *(
        "'{{ \"x\" * 9999999 }}'",
        "'{{ (((((value)))))|percent }}'",
        "'{{ labels|tojson }}'",
        "../../etc/passwd",
        "/dev/zero",
    ),
    *("/dev/null", "/", ".", "~", "a\u0000b", "*", "**/*", "[a-", "(?P<x", "(a+)+$", ".*.*.*", "x" * 5000, "9" * 5000),
    *("-" + "9" * 5000, "0x" + "f" * 5000, "1" * 400 + ".5", "0." + "0" * 5000 + "1", "é" * 3000, "\U0001f9ff" * 300),
    *("[" * 200, "{a: " * 200, "[" * 5000, "- " * 300 + "x", "previous", "limit", "3 of 2 windows", "1000000 windows"),
    *("99 of 99999999999 windows", "0 windows", "{reference: x}", "{baseline: .nan, times: .inf}", "{value: .nan}"),
    *(
        "[.nan, .inf]",
        "{path: x}",
        "{first: 0}",
        "{first: .nan}",
        "[mon, x]",
        '["25:00-26:00"]',
        "Mars/Phobos",
        "../UTC",
    ),
]
"""What stands in place of a value."""
_PIECES = ["\x00", "\x07", "\x1b", "\x85", "\u2028", "\ufeff", "\t", "\r", "\r\n", "\n", " ", ":", "- ", "#", "'", '"']
_PIECES += [
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!!",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    ",",
    "?",
    "---\n",
    "...\n",
    "%YAML 9.9\n",
    "<<: *a",
]


def _blocks() -> list[str]:
    """Return the example's keys, each with all that belongs to it."""
    plain = "\n".join(line for line in EXAMPLE.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return [block for block in re.split(r"\n(?=\w)", plain) if not block.startswith("model:")]


BLOCKS = _blocks()


def make(random: random.Random) -> bytes:
    """Return a few sections of the example, spoilt in one to four places."""
    if random.random() < 0.02:
        return random.choice(WHOLE)(random)
    text = "\n".join(["model: delays", *random.sample(BLOCKS, random.randint(1, 4))]) + "\n"
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        text = random.choice(SPOIL)(text, random)
    content = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.1:
        content = _bytes_changed(content, random)
    return content


def _value(text: str, random: random.Random) -> str:
    """Put another value on some line that has a key."""
    lines = text.split("\n")
    places = [place for place, line in enumerate(lines) if _KEY.match(line)]
    if places:
        place = random.choice(places)
        lines[place] = _KEY.sub(lambda match: match[1], lines[place]) + random.choice(_VALUES)
    return "\n".join(lines)


def _inner_value(text: str, random: random.Random) -> str:
    """Put another value in place of a word or number, wherever it stands."""
    words = list(re.finditer(r"[\w.:/#@-]+", text))
    if not words:
        return text
    word = random.choice(words)
    return text[: word.start()] + random.choice(_VALUES) + text[word.end() :]


def _key(text: str, random: random.Random) -> str:
    """Put another key in place of one."""
    words = list(re.finditer(r"[\w-]+(?=:)", text))
    if not words:
        return text
    word, other = random.choice(words), random.choice(words)
    odd = random.choice(
        [other[0], word[0] + "s", word[0][1:], "1", "null", "true", "[a]", "{a: b}", "? a", "x-y", "é", "''"]
    )
    return text[: word.start()] + odd + text[word.end() :]


def _lines(text: str, random: random.Random) -> str:
    """Leave out a line, say it twice, put it elsewhere, or indent it otherwise."""
    lines = text.split("\n")
    place = random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            del lines[place]
        case 1:
            lines.insert(random.randrange(len(lines)), lines[place])
        case 2:
            lines[place] = " " * random.randrange(1, 9) + lines[place]
        case _:
            lines[place] = lines[place].lstrip()
    return "\n".join(lines)


def _piece(text: str, random: random.Random) -> str:
    """Put a character in that YAML takes for more than it is."""
    place = random.randrange(len(text) + 1)
    return text[:place] + random.choice(_PIECES) + text[place:]


def _cut(text: str, random: random.Random) -> str:
    """Leave off the end."""
    return text[: random.randrange(len(text) + 1)]


def _bytes_changed(content: bytes, random: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 20))):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


SPOIL: list[Callable[[str, random.Random], str]] = [
    _value,
    _value,
    _value,
    _inner_value,
    _inner_value,
    _key,
    _lines,
    _piece,
    _cut,
]


def _laughs(random: random.Random) -> bytes:
    """Return aliases of aliases, which would be more values than memory holds."""
    lines = ["x-0: &a0 [" + ", ".join(["lol"] * 10) + "]"]
    depth = random.randint(2, 40)
    lines += [f"x-{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, depth)]
    return "\n".join(["model: m", *lines, f"rules: *a{depth - 1}"]).encode()


def _merged_laughs(random: random.Random) -> bytes:
    """Return sections that are merged into each other many times over."""
    lines = ["x-0: &a0 {" + ", ".join(f"k{place}: {place}" for place in range(10)) + "}"]
    lines += [
        f"x-{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}"
        for level in range(1, random.randint(2, 12))
    ]
    return "\n".join(["model: m", *lines]).encode()


def _deep(random: random.Random) -> bytes:
    """Return brackets, blanks or dashes, many deep."""
    depth = random.choice((50, 300, 1000, 20_000))
    return b"model: m\nrules: " + random.choice(
        (b"[" * depth, b"{a: " * depth, b"[" * depth + b"]" * depth, b"\n" + b"- " * depth)
    )


WHOLE: list[Callable[[random.Random], bytes]] = [
    lambda _: b"",
    lambda random: random.randbytes(random.randrange(2000)),
    lambda _: EXAMPLE.encode("utf-16"),
    lambda _: EXAMPLE.replace("Berlin", "Br\u00fcssel").encode("latin-1", "replace"),
    lambda _: b"\xef\xbb\xbf" + EXAMPLE.encode(),
    lambda random: b"model: m\n" + b"#" * random.choice((1 << 16, 1 << 23)),
    lambda random: b"model: m\n" + b"".join(b"x-%d: 1\n" % number for number in range(random.choice((1000, 200_000)))),
    lambda random: b"- " * random.randrange(2000) + b"model: m",
    lambda _: b"model: &a {b: *a}\n",
    lambda _: b"&a [*a]",
    lambda _: b"--- 1\n--- 2\n",
    _laughs,
    _merged_laughs,
    _deep,
]


def take(content: bytes, folder: Path) -> None:
    """Read the file as `check-config` does; what it says must be printable, and show no secret."""
    path = folder / "watchkeeper.yaml"
    path.write_bytes(content)
    try:
        config, _ = read(path, ENVIRONMENT, notify=False)
    except ConfigError as error:
        text = str(error)
        text.encode()
        assert all(character.isprintable() for character in text.replace("\n", "")), "an error that can't be printed"
        assert len(text) < 100_000, "an error that nobody can read"
        assert ENVIRONMENT["SECRET"] not in text, "an error that shows what came from the environment"
        raise
    assert handover.unpack(handover.pack(config)) == config.model_copy(
        update={"rules": handover.unpack(handover.pack(config)).rules, "default_rules": False}
    )


PART = Part("config", 6_000, make, take, (ConfigError,))
