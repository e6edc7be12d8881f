"""How the stand-in says no."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An error code of the API, with what goes beside it."""

    def __init__(self, code: str, status: int = 200, **extra: Any) -> None:
        super().__init__(code)
        self.code, self.status, self.extra = code, status, extra
