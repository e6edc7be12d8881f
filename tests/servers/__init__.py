"""Real servers that the tests start, from Debian's packages (tests/setup.sh installs them)."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str, package: str) -> str:
    """The program's path. Without it the test is left out, or fails where CI is set."""
    found = shutil.which(name)
    if found:
        return found
    text = f"{name} is not installed (Debian's package {package}; tests/setup.sh installs it)"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)
