"""What is wrong with a config's probes although each value is well-formed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from alerts.url import url_problem
from monitor.collectors.probe.allowed_hosts import allowed_hosts, may_address
from monitor.collectors.probe.json_match import step
from monitor.collectors.probe.open_inference import answer_problem, request_problem
from monitor.collectors.probe.run import MAX_BYTES
from monitor.config.check_requests import Found, request_problems
from monitor.config.yaml_document import Document, Problem
from monitor.settings.root import Config
from monitor.settings.server import ProbeSettings

# What names a host in a list of hosts: no scheme, no port, no wildcard.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_.])?|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?")


def probe_problems(config: Config, document: Document) -> Iterator[Problem]:
    """Everything that would keep a probe from doing what it is meant to; nothing that its headers hold is repeated."""
    for index, host in enumerate(config.collect.allowed_probe_hosts):
        if not _HOST.fullmatch(host):
            line = document.line(("collect", "allowed_probe_hosts", index))
            yield Problem(
                line, f"collect.allowed_probe_hosts[{index}] must be a host's name or address, such as model.internal"
            )
    for index, model in enumerate(config.models):
        within = (*document.model_place(index), "probes")
        allowed = allowed_hosts(model, config.collect.allowed_probe_hosts) if _is_usable(model.server) else frozenset()
        seen: set[str] = set()
        for number, probe in enumerate(model.probes):
            found = [
                *_address_problems(probe, allowed),
                *request_problems(probe, probe.url),
                *_kind_problems(probe),
            ]
            if probe.name in seen:
                found.append((("name",), "this name stands twice; give each probe its own"))
            seen.add(probe.name)
            for place, wrong in found:
                key = "".join(f"[{part}]" if isinstance(part, int) else step(part) for part in place).lstrip(".")
                yield Problem(document.line((*within, number, *place)), f"probe {probe.name!r}: {key}: {wrong}")


def _is_usable(server: Any) -> bool:
    return server is None or url_problem(server.url) is None


def _address_problems(probe: ProbeSettings, allowed: frozenset[str]) -> Found:
    if wrong := url_problem(probe.url):
        yield ("url",), wrong
        return
    parts = urlsplit(probe.url)
    if not re.fullmatch(r"[\x21-\x7e]+", probe.url) or parts.fragment:
        yield ("url",), "spaces, # and other than ASCII characters must be percent-encoded (in a host's name: punycode)"
        return
    host = parts.hostname or ""
    if not may_address(host, allowed):
        yield (
            ("url",),
            f"probes may not address {host}: it is neither this machine nor the host of server.url; "
            "if it is meant, add it to collect.allowed_probe_hosts",
        )


def _kind_problems(probe: ProbeSettings) -> Found:
    for key, value in (("body", probe.body), ("answer", probe.answer)):
        if wrong := _json_problem(value):
            yield (key,), wrong
            return
    if not probe.status or any(not 200 <= status <= 599 for status in probe.status):
        yield ("status",), "must be a list of HTTP statuses from 200 to 599"
    if probe.matches is not None and (wrong := _pattern_problem(probe.matches)):
        yield ("matches",), wrong
    if probe.kind == "http" and probe.answer is not None:
        yield ("answer",), "needs kind: json (or open_inference)"
    if probe.method == "HEAD" and (probe.kind != "http" or probe.matches is not None or probe.body is not None):
        yield ("method",), "an answer to HEAD has no body that could be judged; use GET or POST"
    if probe.kind == "open_inference":
        yield from _inference_problems(probe)


def _inference_problems(probe: ProbeSettings) -> Found:
    if probe.method not in (None, "POST"):
        yield ("method",), "an inference is asked for by POST"
    if probe.body is None:
        yield ("body",), "is missing: the request with its inputs, a list of {name, shape, datatype, data}"
    elif problem := request_problem(probe.body):
        yield ("body", *problem[0]), problem[1]
    if probe.answer is not None and (problem := answer_problem(probe.answer)):
        yield ("answer", *problem[0]), problem[1]


def _json_problem(value: Any) -> str | None:
    try:
        size = len(json.dumps(value, allow_nan=False))
    except TypeError as error:
        kind = str(error).removeprefix("Object of type ").partition(" ")[0]
        return f"has a {kind} in it, which JSON has not; put quotes around what is text"
    except (ValueError, RecursionError):
        return "has a number that is not finite, or is nested too deeply, for JSON"
    return f"is larger than {MAX_BYTES >> 20} MiB" if size > MAX_BYTES else None


def _pattern_problem(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"is no regular expression: {error.msg}"
    if re.match(r"\^?(\(\?s\))?\.[*+]", pattern):
        # Searching takes the square of the text's length then.
        return "leave out what it begins with, .* or .+: the pattern is searched for in the whole text"
    return None
