"""An incident's picture in the thread of its Slack message, by files upload v2.

https://docs.slack.dev/messaging/working-with-files: ask for an address, post the bytes there, complete the upload. The
picture is shared into the thread rather than named by an image block in the message: a file that is shared nowhere is
private to the app, and Slack goes on processing it for a while after the upload; either makes it refuse the whole
message (invalid_blocks), which must not hang on a picture.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

from alerts.notify import NotifyError
from alerts.notify.pictures import FileGone, LacksScope, OwedPicture
from alerts.notify.slack.blocks import escape
from alerts.notify.slack.errors import Gone, api_error, unanswered
from alerts.notify.slack.notifier import SKEW, SlackOptions
from alerts.secret_file import Secret

SCOPE = "files:write"
ALT = 1000
COMMENT = 700


class SlackPictures:
    """Uploads and shares through a bot token. Safe for one thread at a time."""

    def __init__(self, options: SlackOptions) -> None:
        """Raises ValueError without a token and a channel: a webhook takes no files."""
        from alerts.notify.slack.web_client import api_client

        if options.token is None or not options.channel:
            raise ValueError("a picture needs Slack's bot token and a channel")
        self._options, self._timeout = options, max(1, math.ceil(options.timeout))
        self._token = Secret(options.token, options.token_file)
        self._web = api_client(self._token.text, options.api_url, options.timeout)

    def upload(self, owed: OwedPicture) -> str:
        given = {"filename": owed.name, "length": len(owed.png), "alt_txt": owed.text[:ALT]}
        answer = self._call("files.getUploadURLExternal", given)
        self._put(str(answer.get("upload_url", "")), owed.png)
        return str(answer.get("file_id", ""))

    def share(self, owed: OwedPicture) -> None:
        address = self._address(owed)
        self._call(
            "files.completeUploadExternal",
            {
                "files": json.dumps([{"id": owed.file, "title": owed.title[:ALT]}]),
                "channel_id": address["channel"],
                "thread_ts": address["ts"],
                "initial_comment": escape(owed.text, COMMENT),
            },
        )

    def is_shared(self, owed: OwedPicture) -> bool:
        """Looks in the thread, where the app may read it; without the scope nothing is found."""
        address = self._address(owed)
        since = f"{(owed.tried_at or 0.0) - SKEW:.6f}"
        query = {"channel": address["channel"], "ts": address["ts"], "oldest": since, "limit": 200}
        try:
            messages = self._call("conversations.replies", query, verb="GET").get("messages", [])
        except NotifyError as error:
            if error.retry:
                raise
            return False
        return any(file.get("id") == owed.file for message in messages for file in message.get("files") or ())

    def _address(self, owed: OwedPicture) -> Mapping[str, str]:
        if owed.address.get("to") != self._options.channel or "ts" not in owed.address:
            raise NotifyError("its message is in another channel than slack.channel names now", retry=False)
        return owed.address

    def _put(self, url: str, data: bytes) -> None:
        """Posts the bytes to the address that Slack named; it needs no token, and gets none."""
        if urlsplit(url).scheme != "https" and urlsplit(self._options.api_url).scheme == "https":
            raise NotifyError("Slack named an address for the upload that is not https", retry=False)
        from alerts.notify.slack.web_client import opener

        headers = {"Content-Type": "application/octet-stream"}
        try:
            with opener().open(Request(url, data, headers, method="POST"), timeout=self._timeout) as reply:
                reply.read(1000)
        except HTTPError as error:
            with error:
                retry = error.code >= 500 or error.code in (408, 429)
                raise NotifyError(f"Slack's upload answered HTTP {error.code}", retry=retry) from None
        except (OSError, HTTPException, ValueError) as error:
            raise unanswered(error) from None

    def _call(self, method: str, params: Mapping[str, Any], verb: str = "POST") -> Mapping[str, Any]:
        """Ask Slack; with a token that is refused once more, if its file has another one by now."""
        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            answer = self._web.api_call(method, http_verb=verb, params=dict(params))
        except SlackApiError as error:
            refused = _refusal(error.response)
            if refused.retry or not self._token.read_again():
                raise refused from None
            self._web.token = self._token.text
            return self._call(method, params, verb)
        except (OSError, HTTPException, SlackClientError, ValueError) as error:
            raise unanswered(error) from None
        if not isinstance(answer.data, dict):
            raise NotifyError("Slack answered with something that is not JSON", retry=True)
        return answer.data


def _refusal(response: Any) -> NotifyError:
    code = str(response.data.get("error", "")) if isinstance(response.data, dict) else ""
    if code == "missing_scope" and SCOPE in str(response.data.get("needed", SCOPE)):
        return LacksScope(f"the app lacks the scope {SCOPE}; give it that and install it again", retry=False)
    if code == "file_not_found":
        return FileGone("Slack does not have the file any more", retry=True)
    error = api_error(response)
    if isinstance(error, Gone):
        return NotifyError(f"its message is gone ({code})", retry=False)
    assert isinstance(error, NotifyError)
    return error
