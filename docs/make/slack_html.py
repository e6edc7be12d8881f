"""Slack messages as a web page, to take pictures of: an impression of how Slack lays out the same payload."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from unicodedata import lookup

STYLE = """
body { margin: 0; padding: 16px 20px; width: 660px; background: #fff; color: #1d1c1d;
  font: 15px/1.46 Lato, "Liberation Sans", "DejaVu Sans", sans-serif; }
.message { display: flex; gap: 10px; margin-bottom: 14px; }
.reply { margin-left: 46px; border-left: 2px solid #ddd; padding-left: 12px; }
.face { flex: none; width: 36px; height: 36px; border-radius: 6px; background: #0b3d5c; color: #fff;
  display: grid; place-items: center; font-weight: 700; }
.who { font-weight: 900; } .app { background: #e8e8e8; color: #616061; font-size: 10px; padding: 1px 4px;
  margin-left: 4px;
  border-radius: 3px; }
.dot { display: inline-block; width: 13px; height: 13px; border-radius: 50%; vertical-align: -1px; }
.note { color: #616061; font-size: 12px; }
h3 { font-size: 18px; line-height: 1.3; margin: 6px 0 8px; } p { margin: 6px 0; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; margin: 8px 0; }
.context { color: #616061; font-size: 12px; margin: 8px 0; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0; }
.actions span { border: 1px solid #bbb; border-radius: 4px; padding: 3px 11px; font-weight: 700; font-size: 13px; }
.actions .primary { background: #007a5a; border-color: #007a5a; color: #fff; }
a { color: #1264a3; text-decoration: none; } img { max-width: 360px; border-radius: 6px; border: 1px solid #ddd; }
code { color: #c01343; border: 1px solid #ddd; border-radius: 3px; padding: 0 3px; font-size: 12px; }
"""

_COLOURS = {"RED": "#d92f2f", "ORANGE": "#f08c1a", "BLUE": "#2f7ed9", "GREEN": "#2f9e4f"}
SIGNS = {
    lookup(f"LARGE {name} CIRCLE"): f"<span class='dot' style='background:{colour}'></span>"
    for name, colour in _COLOURS.items()
} | {lookup("EYES"): "", lookup("BELL WITH CANCELLATION STROKE"): ""}
"""What stands for characters that few machines have a font for."""

Block = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """A message, a reply in its thread, or what only one person sees ('only you'), with pictures that it shows."""

    kind: str
    text: str
    blocks: list[dict[str, Any]]
    pictures: list[bytes] = field(default_factory=list)


def page(messages: list[Shown]) -> str:
    body = "".join(_message(message) for message in messages)
    for sign, shown in SIGNS.items():
        body = body.replace(sign, shown)
    return f"<!doctype html><meta charset='utf-8'><title>Slack</title><style>{STYLE}</style>{body}"


def _message(message: Shown) -> str:
    laid_out = "".join(_block(block) for block in message.blocks) or f"<p>{mrkdwn(message.text)}</p>"
    laid_out += "".join(
        f"<img alt='' src='data:image/png;base64,{base64.b64encode(png).decode()}'>" for png in message.pictures
    )
    note = "<div class='note'>Only visible to you</div>" if message.kind == "only you" else ""
    name = "<span class='who'>watchkeeper</span><span class='app'>APP</span>"
    css = "message" if message.kind == "message" else "message reply"
    return f"<div class='{css}'><div class='face'>W</div><div>{note}<div>{name}</div>{laid_out}</div></div>"


def _block(block: Block) -> str:
    kind = block["type"]
    if kind == "header":
        return f"<h3>{html.escape(block['text']['text'])}</h3>"
    if kind == "section":
        text = f"<p>{_text(block['text'])}</p>" if "text" in block else ""
        fields = "".join(f"<div>{_text(field)}</div>" for field in block.get("fields", ()))
        return text + (f"<div class='fields'>{fields}</div>" if fields else "")
    if kind == "context":
        return f"<div class='context'>{' '.join(_text(element) for element in block['elements'])}</div>"
    if kind == "actions":
        buttons = "".join(
            f"<span class='{button.get('style', '')}'>{html.escape(button['text']['text'])}</span>"
            for button in block["elements"]
        )
        return f"<div class='actions'>{buttons}</div>"
    raise ValueError(f"a block of type {kind!r} is not known here")


def _text(element: Block) -> str:
    return mrkdwn(element["text"]) if element["type"] == "mrkdwn" else html.escape(element["text"])


def mrkdwn(text: str) -> str:
    """Slack's markup as HTML.

    >>> mrkdwn("*a* &lt; <https://x.example|b>")
    "<b>a</b> &lt; <a href='https://x.example'>b</a>"
    """
    text = re.sub(r"<!date\^\d+\^[^|>]*\|([^>]*)>", r"\1", text)
    text = re.sub(r"<!(?:subteam\^)?(\w+)>", r"<a>@\1</a>", text)
    text = re.sub(r"<@(\w+)>", r"<a>@\1</a>", text)
    text = re.sub(r"<(https?://[^|>]+)\|([^>]*)>", r"<a href='\1'>\2</a>", text)
    text = re.sub(r"(^|\s)\*([^*\n]+)\*", r"\1<b>\2</b>", text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return text.replace("\n", "<br>")
