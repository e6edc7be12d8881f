"""A strict stand-in for PagerDuty's Events API v2: it refuses what that refuses.

https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.fakes.peer import Peer, says_json

KEY = "e93facc04764012d7bfb002500d5d1a6"
_ACTIONS = {"trigger", "acknowledge", "resolve"}
_SEVERITIES = {"critical", "error", "warning", "info"}
_KEYS = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
_PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}


def problems(event: Any) -> list[str]:
    """What is wrong with an event."""
    if not isinstance(event, dict):
        return ["an event must be an object"]
    found = [f"unknown key {key}" for key in event.keys() - _KEYS]
    key, dedup = event.get("routing_key"), event.get("dedup_key")
    found += [] if isinstance(key, str) and len(key) == 32 else ["routing_key must have 32 characters"]
    found += [] if isinstance(dedup, str) and 0 < len(dedup) <= 255 else ["dedup_key has at most 255 characters"]
    if event.get("event_action") not in _ACTIONS:
        found.append("event_action is none of trigger, acknowledge, resolve")
    if event.get("event_action") == "trigger":
        found += _payload_problems(event.get("payload"))
    for link in event.get("links", []):
        if not str(link.get("href", "")).startswith(("http://", "https://")):
            found.append("a link needs an href")
    return found


def _payload_problems(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["payload is missing"]
    found = [f"unknown key payload.{key}" for key in payload.keys() - _PAYLOAD]
    summary = payload.get("summary")
    if not isinstance(summary, str) or not 0 < len(summary) <= 1024:
        found.append("payload.summary has 1 to 1024 characters")
    if not isinstance(payload.get("source"), str) or not payload["source"]:
        found.append("payload.source is missing")
    if payload.get("severity") not in _SEVERITIES:
        found.append("payload.severity is none of critical, error, warning, info")
    return found


def pagerduty() -> Peer:
    """A server that takes events for one integration, at most 512 KB each."""

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        try:
            event = json.loads(body)
        except ValueError:
            event = None
        wrong = problems(event)
        if handler.path != "/v2/enqueue" or handler.command != "POST":
            says_json({"status": "not found"}, 404)(handler, body)
        elif handler.headers.get("Content-Type") != "application/json" or wrong or len(body) > 512 << 10:
            says_json({"status": "invalid event", "message": "Event object is invalid", "errors": wrong}, 400)(
                handler, body
            )
        elif event["routing_key"] != KEY:
            says_json({"status": "invalid key", "message": "Routing key is unknown"}, 403)(handler, body)
        else:
            done = {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}
            says_json(done, 202)(handler, body)

    return Peer(answer)
