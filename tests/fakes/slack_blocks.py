"""What Slack refuses of a message's layout: the limits of Block Kit, as documented, checked strictly."""

from __future__ import annotations

from typing import Any

ALL_BLOCKS = 13_200
_TYPES = {"header", "section", "divider", "context", "actions", "image"}


def problems(blocks: Any) -> tuple[str, list[str]] | None:
    """The error code and messages with which Slack refuses these blocks, or None."""
    if not isinstance(blocks, list):
        return "invalid_blocks_format", ["blocks must be an array"]
    found: list[str] = []
    if len(blocks) > 50:
        found.append("no more than 50 items allowed [json-pointer:/blocks]")
    for index, block in enumerate(blocks):
        found += [f"{text} [json-pointer:/blocks/{index}]" for text in _block(block)]
    ids = [block["block_id"] for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(ids) != len(set(ids)):
        found.append("`block_id` must be unique [json-pointer:/blocks]")
    if found:
        return "invalid_blocks", found
    if _characters(blocks) > ALL_BLOCKS:
        return "msg_blocks_too_long", []
    return None


def _block(block: Any) -> list[str]:
    if not isinstance(block, dict):
        return ["must be an object"]
    kind = block.get("type")
    if kind not in _TYPES:
        return [f"unsupported type: {kind}"]
    id = block.get("block_id", "-")
    found = [] if isinstance(id, str) and 0 < len(id) <= 255 else ["`block_id` must be 1 to 255 characters"]
    checks = {"header": _header, "section": _section, "context": _context, "actions": _actions, "image": _image}
    return found + (checks[kind](block) if kind in checks else [])


def _header(block: dict[str, Any]) -> list[str]:
    return _text(block.get("text"), 150, {"plain_text"})


def _section(block: dict[str, Any]) -> list[str]:
    found: list[str] = []
    if "text" not in block and "fields" not in block:
        found.append("missing required field: text or fields")
    if "text" in block:
        found += _text(block["text"], 3000)
    if "fields" in block:
        fields = block["fields"]
        if not isinstance(fields, list) or not 1 <= len(fields) <= 10:
            return [*found, "`fields` must hold 1 to 10 items"]
        found += [problem for field in fields for problem in _text(field, 2000)]
    return found


def _context(block: dict[str, Any]) -> list[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
        return ["`elements` must hold 1 to 10 items"]
    found: list[str] = []
    for element in elements:
        image = isinstance(element, dict) and element.get("type") == "image"
        found += _image(element) if image else _text(element, 2000)
    return found


def _actions(block: dict[str, Any]) -> list[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25:
        return ["`elements` must hold 1 to 25 items"]
    found: list[str] = []
    for element in elements:
        if not isinstance(element, dict) or element.get("type") != "button":
            found.append("unsupported element")
            continue
        found += _text(element.get("text"), 75, {"plain_text"})
        if len(str(element.get("value", ""))) > 2000 or len(str(element.get("url", ""))) > 3000:
            found.append("button value or url too long")
        if len(str(element.get("action_id", ""))) > 255 or element.get("style") not in (None, "primary", "danger"):
            found.append("action_id too long, or unknown style")
        if unknown := set(element) - {"type", "text", "action_id", "value", "url", "style", "confirm"}:
            found.append(f"unknown fields {sorted(unknown)}")
    ids = [element["action_id"] for element in elements if isinstance(element, dict) and "action_id" in element]
    return found if len(ids) == len(set(ids)) else [*found, "`action_id` must be unique"]


def _image(block: dict[str, Any]) -> list[str]:
    known = isinstance(block.get("image_url"), str) and isinstance(block.get("alt_text"), str)
    return [] if known else ["an image needs image_url and alt_text"]


def _text(text: Any, limit: int, kinds: set[str] | None = None) -> list[str]:
    if not isinstance(text, dict) or set(text) - {"type", "text", "emoji", "verbatim"}:
        return ["must be a text object"]
    if text.get("type") not in (kinds or {"plain_text", "mrkdwn"}):
        return [f"text of type {text.get('type')} is not allowed here"]
    if "emoji" in text and text["type"] != "plain_text":
        return ["emoji is for plain_text only"]
    words = text.get("text")
    if not isinstance(words, str) or not words:
        return ["must be more than 0 characters"]
    return [] if len(words) <= limit else [f"must be less than {limit + 1} characters"]


def _characters(value: Any) -> int:
    if isinstance(value, dict):
        return sum(
            len(item) if name == "text" and isinstance(item, str) else _characters(item) for name, item in value.items()
        )
    return sum(_characters(item) for item in value) if isinstance(value, list) else 0
