"""Read the text of matchers as Alertmanager's two parsers do: the classic one and the one for UTF-8 label names.

See Alertmanager's `pkg/labels/parse.go` and `matcher/parse`. Only the text is read here; whether a regular expression
can be compiled is `alerts.incidents.matcher`'s business.
"""

from __future__ import annotations

import re

Parts = tuple[str, str, str]
"""A label's name, the operator and the value."""

HOW = "write name=value, name!=value, name=~regex or name!~regex, with commas between several"
_BLANK = r"[\t\n\f\r ]*"
_CLASSIC = re.compile(rf"{_BLANK}([a-zA-Z_:][a-zA-Z0-9_:]*){_BLANK}(=~|!~|!=|=){_BLANK}(.*?){_BLANK}", re.DOTALL)
_CLASSIC_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|((?:[^"\\]|\\.)*\\?)', re.DOTALL)

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What Go counts as white space, for a regular expression's brackets."""
RESERVED = SPACE + r"{}!=~,\\\"'`"
"""What a name or value must be quoted for, by the parser for UTF-8."""
_TOKEN = re.compile(rf'[{SPACE}]*(?:([{{}},]|=~|!~|!=|=)|("(?:[^"\\]|\\.)*")|([^{RESERVED}]+))', re.DOTALL)
_END = re.compile(rf"[{SPACE}]*\Z")
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SIMPLE = dict(zip(b'abfnrtv\\"', b'\a\b\f\n\r\t\v\\"', strict=True))


def classic(text: str) -> list[Parts]:
    """Return the matchers that the classic parser reads; a value needs no quotes. Raises ValueError.

    >>> classic('severity="critical", model=delays')
    [('severity', '=', 'critical'), ('model', '=', 'delays')]
    """
    parts = _split(text.removeprefix("{").removesuffix("}"))
    return [_classic_matcher(part) for part in parts]


def utf8(text: str) -> list[Parts]:
    """Return the matchers that the parser for UTF-8 reads; names may be quoted, and escapes are Go's. Raises
    ValueError.

    >>> utf8('{"feature name"!="a\\\\tb"}')
    [('feature name', '!=', 'a\\tb')]
    """
    tokens = _tokens(text)
    if tokens[:1] == [("sign", "{")]:
        if tokens[-1] != ("sign", "}") or len(tokens) == 1:
            raise _wrong(text)
        tokens = tokens[1:-1]
    found: list[Parts] = []
    # Each matcher is a name, an operator and a value; a comma stands behind each but the last, which may have one.
    for start in range(0, len(tokens), 4):
        one = tokens[start : start + 4]
        if [kind for kind, _ in one] not in (["text", "sign", "text", "sign"], ["text", "sign", "text"]):
            raise _wrong(text)
        if one[1][1] in "{}," or one[3:] not in ([], [("sign", ",")]):
            raise _wrong(text)
        found.append((one[0][1], one[1][1], one[2][1]))
    return found


def _wrong(text: str) -> ValueError:
    return ValueError(f"{text!r} is no matcher; {HOW}")


def _split(text: str) -> list[str]:
    """The text between the commas that stand outside of quotes."""
    parts, start, quoted, escaped = [], 0, False, False
    for place, letter in enumerate(text):
        if letter == "," and not quoted:
            parts.append(text[start:place])
            start = place + 1
            continue
        if letter == '"' and not escaped:
            quoted = not quoted
        # A comma within quotes leaves it as it is, as Alertmanager has it.
        escaped = escaped if letter == "," else letter == "\\" and not escaped
    return [*parts, text[start:].strip()] if text[start:].strip() else parts


def _classic_matcher(text: str) -> Parts:
    match = _CLASSIC.fullmatch(text)
    if match is None:
        raise _wrong(text)
    value = _CLASSIC_VALUE.fullmatch(match[3])
    if value is None:
        raise ValueError(f'{text!r} has a quote in its value; quote the whole value, and write \\" for a quote in it')
    raw = match[3] if value[1] is None else value[1]
    return match[1], match[2], re.sub(r'\\([n"\\])', lambda found: "\n" if found[1] == "n" else found[1], raw)


def _tokens(text: str) -> list[tuple[str, str]]:
    """Signs, and texts without their quotes."""
    found, place = [], 0
    while not _END.match(text, place):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _wrong(text)
        sign, quoted, plain = match.groups()
        found.append(("sign", sign) if sign else ("text", plain or _unquoted(quoted)))
        place = match.end()
    return found


def _unquoted(quoted: str) -> str:
    """A string between double quotes as Go reads it. Raises ValueError."""
    if "\n" in quoted:
        raise ValueError(f"{quoted} has a line break between its quotes; write \\n")
    return _ESCAPE.sub(_unescaped, quoted[1:-1].encode()).decode()


def _unescaped(match: re.Match[bytes]) -> bytes:
    byte, octal, short, long, simple = match.groups()
    if simple is not None:
        if simple[0] not in _SIMPLE:
            raise ValueError(f"there is no escape \\{simple.decode(errors='replace')}; write \\\\ for a backslash")
        return bytes([_SIMPLE[simple[0]]])
    if short or long:
        return chr(int(short or long, 16)).encode()
    return bytes([int(byte, 16) if byte else int(octal, 8)])
