"""Tables that need not fit into memory: files and frames, read by blocks of rows and columns."""

from checks.source.base import Source, Stream
from checks.source.columns import SourceColumns
from checks.source.opening import open_source
from checks.source.profiling import profile_source

__all__ = ["Source", "SourceColumns", "Stream", "open_source", "profile_source"]
