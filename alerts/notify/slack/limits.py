"""The limits of a Slack message, and what is left out of one that would be too large. Pure.

https://docs.slack.dev/reference/block-kit/blocks and .../methods/chat.postMessage; Slack refuses a message that is over
one, so everything is cut before.
"""

from __future__ import annotations

from typing import Any

HEADER = 150
SECTION = 3000
BUTTON = 75
BUTTONS = 25
FIELD = 2000
FIELDS = 10
ELEMENTS = 10
BLOCKS = 50
ALL_BLOCKS = 12_000
"""Characters of text in all blocks; Slack answers msg_blocks_too_long somewhat above."""

Block = dict[str, Any]


def shrunk(blocks: list[tuple[int, Block]]) -> list[Block]:
    """The blocks that fit into a message: of those with the highest number the last goes first, and those with 0 stay.
    None at all if not even those fit."""
    kept = list(blocks)
    while not fits([block for _, block in kept]):
        if not (droppable := [item for item in kept if item[0]]):
            return []
        kept.remove(max(reversed(droppable), key=lambda item: item[0]))
    return [block for _, block in kept]


def fits(blocks: list[Block]) -> bool:
    """Whether these blocks are within Slack's limits."""
    texts = [text for block in blocks for text in _texts(block)]
    return (
        0 < len(blocks) <= BLOCKS
        and sum(len(text) for text, _ in texts) <= ALL_BLOCKS
        and all(0 < len(text) <= limit for text, limit in texts)
        and all(len(block.get("fields", ())) <= FIELDS for block in blocks)
        and all(len(block.get("elements", ())) <= _elements(block) for block in blocks)
    )


def _elements(block: Block) -> int:
    return BUTTONS if block["type"] == "actions" else ELEMENTS


def _texts(block: Block) -> list[tuple[str, int]]:
    limit = HEADER if block["type"] == "header" else SECTION
    found = [(block["text"]["text"], limit)] if "text" in block else []
    found += [(item["text"], FIELD) for item in block.get("fields", ())]
    if block["type"] == "actions":
        return found + [(item["text"]["text"], BUTTON) for item in block["elements"]]
    return found + [(item["text"], FIELD) for item in block.get("elements", ())]
