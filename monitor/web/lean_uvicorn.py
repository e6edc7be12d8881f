"""uvicorn's server without its command line.

Importing the package as a whole brings click, file watching and supervisors: 1.5 MB that a sidecar never uses. So the
package is set up without running its `__init__`, which runs when somebody asks for anything but its modules.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any


def _bare(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.loader is not None
    package, loader = importlib.util.module_from_spec(spec), spec.loader

    def whole(attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        del package.__dict__["__getattr__"]
        loader.exec_module(package)
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = whole
    sys.modules[name] = package


if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import Server
else:
    if "uvicorn" not in sys.modules:
        _bare("uvicorn")
    from uvicorn.config import Config
    from uvicorn.server import Server

__all__ = ["Config", "Server"]
