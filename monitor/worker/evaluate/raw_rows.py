"""The rows that a preset of drift compares: a window's as of a position in the log, and the reference's file's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine

from checks.base import Window
from checks.data.arrow import floats, int_array
from checks.data.frame import concat, from_reference
from checks.data.schema import SchemaError
from monitor.worker.messages import ModelOptions
from monitor.worker.stored.references import StoredReference, reread
from monitor.worker.stored.window_reader import WindowReader


class ReferenceRows:
    """One reference's rows, read from its file when first asked for."""

    def __init__(self, engine: Engine, reference: StoredReference, options: ModelOptions) -> None:
        self._engine, self._reference, self._options = engine, reference, options
        self.columns = tuple(reference.reference.binning.columns)
        self._frame: pa.Table | None = None

    def frame(self) -> pa.Table:
        """In the order of time, where the reference has times. Raises SchemaError when the file is not what it was."""
        if self._frame is None:
            path = self._options.plan.path
            if path is None:
                raise SchemaError("a preset of drift compares with a reference's rows; name its file as `reference`")
            schema = self._reference.reference.schema
            frame = from_reference(reread(self._engine, self._reference, path, self._options), schema)
            if "time" in frame.column_names:
                frame = frame.take(int_array(np.argsort(floats(frame["time"])[0], kind="stable")))
            self._frame = frame.select(list(self.columns)).combine_chunks()
        return self._frame

    def beside(self, evidence: WindowReader, window: Window) -> WindowRows:
        return WindowRows(self, evidence, window)


class WindowRows:
    """The rows of one window and of the reference (`checks.inputs.RowSource`)."""

    def __init__(self, normal: ReferenceRows, evidence: WindowReader, window: Window) -> None:
        self._normal, self._evidence, self._window = normal, evidence, window
        self._current: pa.Table | None = None

    def reference(self) -> pa.Table:
        return self._normal.frame()

    def current(self) -> pa.Table:
        if self._current is None:
            wanted = self._normal.columns
            frames = [
                frame.select([name for name in wanted if name in frame.column_names])
                for frame in self._evidence.frames(self._window)
            ]
            self._current = concat(frames) if frames else self._normal.frame().slice(0, 0)
        return self._current
