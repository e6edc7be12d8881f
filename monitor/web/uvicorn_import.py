"""uvicorn's server without its command line.

Importing the package as a whole brings click, file watching and supervisors: 1.5 MB that a sidecar never uses. So the
package is set up without running its `__init__`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.lazy_import import bare

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
    from uvicorn.server import Server
else:
    # Logging's files and sockets, which uvicorn would set up if it were told to.
    bare("logging.config")
    bare("uvicorn")
    import uvicorn
    from uvicorn.config import Config
    from uvicorn.server import Server

    # Its own modules take this from the package (uvicorn.lifespan.off), which would run it after all.
    uvicorn.Config = Config

    from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

__all__ = ["STATUS_LINE", "Config", "HttpToolsProtocol", "Server"]
