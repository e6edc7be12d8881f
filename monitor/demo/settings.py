"""The config file that the demo's Watchkeeper runs on: an ordinary one, with what a demo shortens marked as such."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

MODEL = "delays"
WINDOW_SECONDS = 86_400.0
LATENESS_SECONDS = 3_600.0

_TEXT = """\
# Written by `watchkeeper demo`. An ordinary config file; what only a demo would say is marked 'demo'.
model: {model}
reference: {reference}          # January to March 2013, with predictions that did not see their own rows
time: replay                    # demo: the flights are history

server:
  preset: fastapi
  url: {server}
  interval: 2s                  # demo: two days of flights; 15s is the default

windows: {{every: 1d, allowed_lateness: 1h}}
checks:
  # demo: all 39 weeks of the year are kept, 1.2 MB each; 20 is the default
  weekly-report: {{type: evidently, preset: DataDriftPreset, window: 7d, sample: 2000, keep: 40}}
labels: {{maturity: 2d}}          # labels arrive within a day; cancelled flights never get one

listen: 127.0.0.1:{port}
database: sqlite:///{database}
evaluate: 1s                    # demo: a window closes every second; 15s is the default
collect: {{interval: 2s}}         # demo: 15s is the default

rules:
  # demo: a year passes in minutes, and a slow week in 40 seconds. The defaults are the median of an hour, and a minute
  # of waiting before it fires and before it resolves.
  - name: latency-high
    above: {{baseline: 3m, times: 3, at_least: 0.1}}
    for: 5s
    keep_firing_for: 5s
    min_rows: 4
{slack}"""

_SLACK = """
slack: {{channel: "{channel}"{api}}}      # the token is in SLACK_BOT_TOKEN
"""


def write_config(
    folder: Path, *, reference: Path, server: str, port: int, environment: Mapping[str, str] = os.environ
) -> Path:
    """Writes watchkeeper.yaml into `folder` and returns its path. Slack is told, too, if SLACK_BOT_TOKEN and
    SLACK_CHANNEL are in the environment (and at SLACK_API_URL rather than at Slack's own address)."""
    channel = environment.get("SLACK_CHANNEL", "") if environment.get("SLACK_BOT_TOKEN") else ""
    address = environment.get("SLACK_API_URL", "")
    text = _TEXT.format(
        model=MODEL,
        reference=reference.relative_to(folder),
        server=server,
        port=port,
        database=(folder / "watchkeeper.db").resolve(),
        slack=_SLACK.format(channel=channel, api=f', api_url: "{address}"' if address else "") if channel else "",
    )
    path = folder / "watchkeeper.yaml"
    path.write_text(text, encoding="utf-8")
    return path
