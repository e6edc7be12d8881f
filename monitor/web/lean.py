"""Modules that others import and a server does not use are set up without running; they run when somebody asks for
anything in them. tests/test_layers.py sees to it that the daemon does not ask."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any


def bare(name: str) -> None:
    """Has `import name` run nothing yet, unless it has run already. A package's own modules can be imported."""
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.loader is not None
    module, loader = importlib.util.module_from_spec(spec), spec.loader

    def whole(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        del module.__dict__["__getattr__"]
        loader.exec_module(module)
        return getattr(module, attribute)

    module.__dict__["__getattr__"] = whole
    sys.modules[name] = module
