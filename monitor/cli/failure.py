"""How a command ends when it can't do what it was asked."""

from __future__ import annotations


class Failure(Exception):
    """One sentence for stderr and the exit status: 1 a failure, 2 bad usage or config."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
