"""A feature drifts: its picture arrives in the incident's Slack thread, and the page serves it."""

from __future__ import annotations

import io
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.process import Daemon, wait_for
from tests.e2e.stream import batches, write_reference
from tests.fakes.slack import TOKEN, FakeSlack

CONFIG = """
model: parcels
reference: reference.csv
time: replay
windows: {{min_rows: 100}}
slack: {{channel: "#ml-oncall", api_url: "{slack}"}}
collect: {{host: false}}
evaluate: 500ms
"""


def colours(png: bytes) -> set[tuple[int, ...]]:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        assert image.format == "PNG"
        own = image.convert("RGB")
        return {colour for count, colour in own.getcolors(own.width * own.height) or () if count > 300}


def near(found: set[tuple[int, ...]], wanted: tuple[int, ...]) -> bool:
    return any(all(abs(one - other) <= 12 for one, other in zip(colour, wanted, strict=True)) for colour in found)


@pytest.mark.timeout(120)
def test_the_picture_of_a_drift_arrives_in_slack_and_on_the_page(tmp_path: Path) -> None:
    write_reference(tmp_path / "reference.csv", rows=2000)
    with FakeSlack() as slack:
        slack.scopes = ["chat:write", "files:write"]
        with Daemon(tmp_path, CONFIG.format(slack=slack.api_url), env={"SLACK_BOT_TOKEN": TOKEN}) as daemon:
            for kind, rows in batches(hours=7, fault=range(2, 7)):
                assert daemon.post(f"/v1/models/parcels/{kind}", rows)[0] == 202
            message = wait_for(
                lambda: next((one for one in slack.messages if one.files), None), "the picture is in Slack", 60
            )
            post = next(one for one in slack.posts() if one.ts == message.thread_ts)
            assert "drift" in post.text + str(post.blocks)
            file = slack.files.known[message.files[0]]
            assert "distance: " in file.alt
            assert " before; mean " in file.alt
            # The grey of the reference and the blue of what is now.
            assert near(drawn := colours(file.data or b""), (0xA3, 0xAD, 0xB8))
            assert near(drawn, (0x25, 0x63, 0xC9))

            ((id, incident),) = daemon.rows("select id, incident from pictures")
            path = f"/pictures/{id}"
            assert f'<img class="picture" src="{path}.svg" alt="distance: ' in daemon.get(f"/incidents/{incident}")
            assert ET.fromstring(daemon.get(f"{path}.svg")).tag == "{http://www.w3.org/2000/svg}svg"
            with urllib.request.urlopen(f"{daemon.url}{path}.png", timeout=30) as reply:
                assert reply.read() == file.data
            assert len([one for one in slack.messages if one.files]) == 1
