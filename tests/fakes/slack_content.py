"""What a message may hold."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.slack_blocks import problems
from tests.fakes.slack_refusal import Refusal


def content(arguments: dict[str, Any]) -> tuple[str, list[dict[str, Any]], dict[str, Any] | None]:
    """Text, blocks and metadata of a message; raises Refusal."""
    text, blocks, metadata = arguments.get("text"), arguments.get("blocks"), arguments.get("metadata")
    if not text and not blocks:
        raise Refusal("no_text")
    if text is not None and not isinstance(text, str):
        raise Refusal("invalid_arguments")
    if text and len(text) > 40_000:
        raise Refusal("msg_too_long")
    if blocks is not None and (wrong := problems(blocks)) is not None:
        raise Refusal(wrong[0], errors=wrong[1], response_metadata={"messages": wrong[1]})
    if metadata is not None:
        _check_metadata(metadata)
    return text or "", blocks or [], metadata


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload"}:
        raise Refusal("invalid_metadata_format")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise Refusal("invalid_metadata_format")
    if any(not isinstance(value, str | int | float | bool) for value in metadata["event_payload"].values()):
        raise Refusal("invalid_metadata_schema")
    if len(json.dumps(metadata)) > 8_000:
        raise Refusal("metadata_too_large")
