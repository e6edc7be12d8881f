from monitor.lazy_import import bare

# http.server and importlib.metadata import these, for what a daemon never does: half a megabyte of a sidecar's memory.
# Here, to come before whoever imports those.
for _name in ("csv", "html"):
    bare(_name)
