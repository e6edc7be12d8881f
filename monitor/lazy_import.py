"""Modules that others import and a server does not use are set up without running; they run when somebody asks for
anything in them. tests/test_layers.py sees to it that the daemon does not ask."""

from __future__ import annotations

import importlib.util
import sys
import threading
from typing import Any

PLAIN_SETTINGS = "plain_settings"
"""Option (-X) of a daemon that was handed its settings; child processes such as the worker do not inherit it."""


def bare(name: str) -> None:
    """Has `import name` run nothing yet, unless it has run already. A package's own modules can be imported."""
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.loader is not None
    module, loader = importlib.util.module_from_spec(spec), spec.loader
    lock, running = threading.RLock(), threading.Event()

    def whole(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        with lock:  # other threads wait for the whole module; this one may look at its beginnings
            if module.__dict__.get("__getattr__") is whole and not running.is_set():
                running.set()
                try:
                    loader.exec_module(module)
                finally:
                    running.clear()
                if module.__dict__.get("__getattr__") is whole:
                    del module.__dict__["__getattr__"]
        try:
            return module.__dict__[attribute]
        except KeyError:
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}") from None

    module.__dict__["__getattr__"] = whole
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
