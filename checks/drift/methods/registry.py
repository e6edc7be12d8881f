"""The drift methods by the names that config, labels and reports use."""

from __future__ import annotations

from importlib import import_module

from checks.drift.methods.method import Method
from checks.drift.methods.names import METHOD_NAMES

METHODS: dict[str, Method] = {name: import_module(f"checks.drift.methods.{name}").METHOD for name in METHOD_NAMES}
