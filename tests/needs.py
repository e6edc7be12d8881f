"""What tests need of the machine: without it they are left out here, and fail where CI is set."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def absent(reason: str) -> NoReturn:
    """Leave the test out for this reason, or fail it where CI is set: there, nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def program(name: str, package: str) -> str:
    """Return the program's path, which Debian's package has."""
    found = shutil.which(name)
    return found or absent(f"{name} is not installed (Debian's package {package}; tests/setup.sh installs it)")
