import gc
import sys

from monitor.lazy_import import PLAIN_SETTINGS, bare

# http.server and importlib.metadata import these, for what a daemon never does: half a megabyte of a sidecar's memory.
# Here, to come before whoever imports those.
for _name in ("csv", "html"):
    bare(_name)

# A daemon that was handed its settings checks none: pydantic would take 9 MB of its memory and 0.2 s of its start.
if PLAIN_SETTINGS in sys._xoptions:
    gc.disable()  # what is imported stays: to look for garbage meanwhile takes 0.13 s (the daemon turns it on again)

    from monitor.config import plain_pydantic

    sys.modules["pydantic"] = plain_pydantic
