"""Makes what docs/on-call.md shows: one incident of the demo, from its first message to its end.

    python -m docs.make.on_call [--speed 0.5]

The demo runs against the stand-in for Slack, somebody presses the buttons, and docs/on-call/ gets the payloads and
pictures. Needs Chromium. Times and ids differ from run to run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image, ImageChops

from docs.make.slack_html import Shown, page
from tests.fakes.slack import APP, APP_TOKEN, CHANNEL, TOKEN, FakeSlack, Message

T = TypeVar("T")
OUT = Path(__file__).parent.parent / "on-call"
COMMAND = Path(sys.executable).with_name("watchkeeper")
DAYS = 48
"""Distances are in kilometres from day 30 to 40 (monitor/demo/story.py)."""
SCOPES = ["chat:write", "channels:read", "channels:history", "files:write", "files:read", "usergroups:read"]


def main(speed: float, port: int) -> None:
    OUT.mkdir(exist_ok=True)
    with FakeSlack() as slack, tempfile.TemporaryDirectory() as name:
        slack.scopes = SCOPES
        environment = {
            **os.environ,
            "SLACK_BOT_TOKEN": TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_CHANNEL": CHANNEL,
            "SLACK_API_URL": slack.api_url,
        }
        command = [COMMAND, "demo", "--days", str(DAYS), "--speed", str(speed), "--dir", name, "--port", str(port)]
        with (OUT / "demo.log").open("wb") as log:
            demo = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            live(slack, f"http://127.0.0.1:{port}", Path(name))
        finally:
            demo.terminate()
            demo.wait(30)
    (OUT / "demo.log").unlink()


def live(slack: FakeSlack, url: str, folder: Path) -> None:
    """Waits for the incident, handles it as a person on call would, and keeps what there is to see at each step."""
    shot = Shots(slack, folder)
    message = until(lambda: next((found for found in slack.posts() if "distance" in found.text), None), "it fires")
    until(lambda: slack.socket.open(APP) and told(url, message), "it is recorded")
    until(lambda: any(reply.files for reply in slack.replies(message.ts)), "its picture")
    shot.slack("1-fired", message)
    shot.web("1-page", f"{url}/incidents/{incident_of(message)}")
    command("explain", "1-explain", url, folder, message)
    press(slack, message, "ack")
    until(lambda: "Acknowledged" in str(message.blocks), "it is acknowledged")
    press(slack, message, "details")
    until(lambda: any("limit" in str(answer.blocks) for answer in slack.answers.given), "the details")
    shot.slack("2-acknowledged", message, details=True)
    until(lambda: "Resolved" in str(message.blocks), "it resolves", 300)
    until(lambda: any("Resolved" in reply.text for reply in slack.replies(message.ts)), "the thread says so")
    shot.slack("3-resolved", message)
    shot.web("3-page", f"{url}/incidents/{incident_of(message)}")
    story = get(f"{url}/api/v1/incidents/{incident_of(message)}/timeline")
    (OUT / "3-timeline.json").write_text(json.dumps(story, indent=1, ensure_ascii=False) + "\n")


class Shots:
    """Writes payloads, and pictures by Chromium."""

    def __init__(self, slack: FakeSlack, folder: Path) -> None:
        self.slack_side, self.folder = slack, folder

    def slack(self, name: str, message: Message, *, details: bool = False) -> None:
        payload = {"text": message.text, "blocks": message.blocks, "metadata": message.metadata}
        (OUT / f"{name}.json").write_text(json.dumps(payload, indent=1, ensure_ascii=False) + "\n")
        shown = [Shown("message", message.text, message.blocks)]
        for reply in self.slack_side.replies(message.ts):
            pictures = [self.slack_side.files.known[id].data for id in reply.files]
            shown.append(Shown("reply", reply.text, reply.blocks, pictures))
        if details:
            shown += [Shown("only you", answer.text, answer.blocks) for answer in self.slack_side.answers.given]
        file = self.folder / "slack.html"
        file.write_text(page(shown), encoding="utf-8")
        self.web(name, file.as_uri(), width=700, height=1600)

    def web(self, name: str, url: str, width: int = 1200, height: int = 2400) -> None:
        raw = self.folder / "shot.png"
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--screenshot={raw}"]
        flags += [f"--window-size={width},{height}", f"--user-data-dir={self.folder / 'chromium'}"]
        subprocess.run(["chromium", *flags, url], capture_output=True, timeout=120, check=True)
        with Image.open(raw) as whole:
            picture = whole.convert("RGB")
        blank = Image.new("RGB", picture.size, picture.getpixel((picture.width - 1, picture.height - 1)))
        filled = ImageChops.difference(picture, blank).getbbox()
        bottom = min(picture.height, (filled[3] if filled else picture.height) + 16)
        picture.crop((0, 0, width, bottom)).quantize(64).save(OUT / f"{name}.png", optimize=True)


def command(verb: str, name: str, url: str, folder: Path, message: Message) -> None:
    """What `watchkeeper alerts VERB` says of the incident's first alert."""
    [fingerprint] = [
        alert["fingerprint"] for alert in get(f"{url}/api/v1/alerts")["alerts"] if "distance" in str(alert["labels"])
    ][:1]
    config = str(folder / "watchkeeper.yaml")
    ran = subprocess.run(
        [COMMAND, "alerts", verb, fingerprint, "--config", config], capture_output=True, text=True, check=False
    )
    (OUT / f"{name}.txt").write_text(ran.stdout + ran.stderr)


def press(slack: FakeSlack, message: Message, button: str) -> None:
    if not slack.press(message.ts, button).acknowledged:
        raise SystemExit(f"the press of {button} was not acknowledged")


def told(url: str, message: Message) -> bool:
    """Whether the incident's message is known to the daemon."""
    story = get(f"{url}/api/v1/incidents/{incident_of(message)}/timeline")["timeline"]
    return any(event["what"] == "told" for event in story) or len(story) > 1


def incident_of(message: Message) -> str:
    assert message.metadata is not None
    return str(message.metadata["event_payload"]["incident"])


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def until(condition: Callable[[], T | None], what: str, seconds: float = 240.0) -> T:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise SystemExit(f"not within {seconds:g} s: {what}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", type=float, default=0.5, help="days a second")
    parser.add_argument("--port", type=int, default=9798)
    options = parser.parse_args()
    main(options.speed, options.port)
