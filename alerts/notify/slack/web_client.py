"""The SDK's clients as they are used here: they retry nothing, log nothing, and follow no redirect.

The SDK follows redirects as browsers do: a POST becomes a GET of another page, the token goes along to another host,
and a login page that answers 200 looks like success.
"""

from __future__ import annotations

import math
from typing import Any
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient, WebhookResponse

from alerts.notify.slack.errors import quiet_logger


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def opener(proxy: str | None = None) -> OpenerDirector:
    """Return what makes requests without following redirects; without `proxy` the environment names it, if any."""
    return build_opener(_NoRedirect, ProxyHandler({"http": proxy, "https": proxy} if proxy else None), HTTPSHandler())


class _Api(WebClient):
    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        with opener(self.proxy).open(req, timeout=self.timeout) as answer:
            text = answer.read().decode(answer.headers.get_content_charset() or "utf-8")
            return {"status": answer.status, "headers": answer.headers, "body": text}


class _Hook(WebhookClient):
    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        with opener(self.proxy).open(req, timeout=self.timeout) as answer:
            text = answer.read().decode(answer.headers.get_content_charset() or "utf-8")
            return WebhookResponse(url=url, status_code=answer.status, body=text, headers=answer.headers)


def api_client(token: str | None, api_url: str, timeout: float) -> WebClient:
    """Return a client of the Web API, with a whole number of seconds for each call."""
    return _Api(token, base_url=api_url, timeout=max(1, math.ceil(timeout)), retry_handlers=[], logger=quiet_logger())


def hook_client(url: str, timeout: float) -> WebhookClient:
    """Return a client of an incoming webhook or of the address that takes an answer."""
    return _Hook(url, timeout=max(1, math.ceil(timeout)), retry_handlers=[], logger=quiet_logger())
