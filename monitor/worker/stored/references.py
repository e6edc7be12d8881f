"""References in the store: built from a file once, read by every closing."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
from sqlalchemy import Connection, Engine, insert, select

from checks.base import Window
from checks.calibration.build_reference import build_reference
from checks.data.csv_options import CsvOptions
from checks.data.schema import SchemaError
from checks.data.schema_inference import infer
from checks.reference import Reference
from checks.source import Source, SourceColumns, Stream, open_source
from checks.source.columns import LazyTable, by_columns, read_columns, read_stream
from checks.source.delimited import CsvStream
from monitor.store.engine import writing
from monitor.store.references.activations import judged, read_activations, record_use
from monitor.store.references.plan import ReferencePlan
from monitor.store.tables import references
from monitor.worker.messages import BuiltReference, ModelOptions

REFERENCE_CODEC = "reference/3"
CSV_READER = 2
"""Which way of reading CSV a reference was made by: one of an earlier way is built anew."""
READ_BYTES = 1 << 20


class UnknownReference(Exception):
    """A stored reference was written by a version that this one does not know."""


@dataclass(frozen=True, slots=True)
class StoredReference:
    """A reference and its bins' version, by which profiles are stored."""

    id: int
    """Of its bins: the number of the reference that they were made for."""
    reference: Reference
    number: int = 0
    """Its own."""
    version: str | None = None
    """The version of the model whose rows alone its bins count; None where versions are not told apart."""
    since: float = -math.inf
    """Start of its rows, where they are the stream's."""


def load(connection: Connection, number: int, version: str | None = None) -> StoredReference:
    """The reference with this number, for this version of the model. Raises UnknownReference."""
    row = connection.execute(select(references).where(references.c.id == number)).one()
    if row.codec != REFERENCE_CODEC:
        raise UnknownReference(
            f"reference {number} of {row.model!r} is stored as {row.codec!r}; build it anew with "
            "`watchkeeper reference build`"
        )
    since = -math.inf if row.window_start is None else row.window_start
    return StoredReference(row.binning_id or row.id, Reference.from_bytes(row.payload), row.id, version, since)


def newest(connection: Connection, model: str) -> StoredReference | None:
    """What the model's next window is judged by; where its versions have their own, the one that was decided on last.
    Raises UnknownReference."""
    uses = read_activations(connection, model)
    use = uses.of()
    if uses.plan().per_version:
        use = next((use for use in reversed(uses.rows) if use.reference_id is not None or use.is_anew), None)
    return None if use is None or use.reference_id is None else load(connection, use.reference_id)


def per_version(connection: Connection, model: str) -> dict[str, StoredReference] | None:
    """What rows of each version are held against in the next window; None where versions are not told apart."""
    uses = read_activations(connection, model)
    if not uses.plan().per_version:
        return None
    found = {name: uses.of(version=name) for name in sorted(uses.versions())}
    return {
        name: load(connection, use.reference_id, name)
        for name, use in found.items()
        if use is not None and use.reference_id is not None
    }


def in_force(connection: Connection, model: str) -> list[StoredReference]:
    """All that the model's next windows may be held against."""
    found = per_version(connection, model)
    if found is not None:
        return list(found.values())
    one = newest(connection, model)
    return [] if one is None else [one]


def of_file(connection: Connection, model: str) -> StoredReference | None:
    """What the config's file was built into last, whether another reference is in force or not."""
    uses = read_activations(connection, model)
    found = [use.reference_id for use in uses.rows if use.action == "configured" and use.reference_id is not None]
    return load(connection, found[-1]) if found else None


def store(
    engine: Engine, path: str, options: ModelOptions, now: float, progress: Callable[[float], None] | None = None
) -> BuiltReference:
    """Builds the reference in this file and puts it in force, unless that is what was configured last: then whatever
    was accepted since stays in force. One with the same content and settings is not built again. Raises SchemaError."""
    plan = options.plan if options.plan.kind == "file" else ReferencePlan("file")
    print_ = fingerprint(path, options)
    with engine.connect() as connection:
        use = read_activations(connection, options.model).configured()
        known = _known(connection, options.model, print_, plan.version)
    if use is not None and known is not None and (use.plan, use.reference_id) == (plan.text(), known.id):
        return known
    made = None if known else build_file(path, options, progress or (lambda _share: None))
    with writing(engine).begin() as connection:
        if made is not None:
            source = ReferenceSource("file", str(path), print_, version=plan.version)
            built = BuiltReference(insert_reference(connection, options.model, made, source, now), made.n, created=True)
        else:
            assert known is not None
            built = known
        after = judged(connection, options.model)
        record_use(
            connection,
            options.model,
            "configured",
            built.id,
            after=after,
            now=now,
            by="config",
            version=plan.version,
            plan=plan,
        )
    return built


def _known(connection: Connection, model: str, print_: str, version: str) -> BuiltReference | None:
    here = (references.c.model == model, references.c.kind == "file", references.c.version == version)
    query = select(references.c.id, references.c.n).where(*here, references.c.fingerprint == print_)
    row = connection.execute(query.order_by(references.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else BuiltReference(row.id, row.n, created=False)


def build_file(path: str, options: ModelOptions, progress: Callable[[float], None]) -> Reference:
    """The reference that this file makes. Raises SchemaError."""
    with file_rows(path, options.csv) as rows:
        schema = infer(LazyTable(rows), options.schema)
        columns = SourceColumns(rows, schema)
        made = build_reference(columns, schema, bins=options.bins, every=options.every, progress=progress)
        return replace(made, notes=(*made.notes, *reading_notes(rows)))


def reading_notes(source: Source) -> tuple[str, ...]:
    """Return what had to be found out about the file that this source reads, one sentence each."""
    return tuple(getattr(source, "notes", ()))


@dataclass(frozen=True, slots=True)
class ReferenceSource:
    """What a reference was made from."""

    kind: Literal["file", "events", "learned", "accepted"]
    text: str
    """For people."""
    fingerprint: str = ""
    version: str = ""
    window: Window | None = None
    """Event time of its rows, where they are the stream's,"""
    seq: int | None = None
    """as of this arrival."""
    binning_id: int | None = None
    """The reference that its bins are of; None: its own."""
    by: str = "config"


def insert_reference(connection: Connection, model: str, made: Reference, source: ReferenceSource, now: float) -> int:
    """Stores a reference; returns its number."""
    values = {
        "model": model,
        "created_at": now,
        "created_by": source.by,
        "kind": source.kind,
        "source": source.text,
        "version": source.version,
        "binning_id": source.binning_id,
        "window_start": source.window.start if source.window else None,
        "window_end": source.window.end if source.window else None,
        "seq": source.seq,
        "fingerprint": source.fingerprint,
        "n": made.n,
        "schema": made.schema.to_json(),
        "codec": REFERENCE_CODEC,
        "payload": made.to_bytes(),
    }
    id_: int = connection.execute(insert(references).values(values).returning(references.c.id)).scalar_one()
    return id_


def reread(engine: Engine, reference: StoredReference, path: str, options: ModelOptions) -> pa.Table:
    """The rows of the file that this reference was built from: of them the store keeps a summary alone. Raises
    SchemaError when the file is gone or another one."""
    with engine.connect() as connection:
        built = connection.scalar(select(references.c.fingerprint).where(references.c.id == reference.id))
    if fingerprint(path, options) != built:
        raise SchemaError(
            f"the reference {path} is not what it was when it was built, so its rows can't be compared with; "
            "build it anew with `watchkeeper reference build`, or put the file back"
        )
    return read_table(path, options.csv)


def fingerprint(path: str, options: ModelOptions) -> str:
    """Of the file's content and of all that the reference is made by."""
    digest = hashlib.blake2b(digest_size=32)
    settings: list[object] = [REFERENCE_CODEC, options.schema, options.bins, options.every]
    with _reading(path), Path(path).open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
        if isinstance(open_source(path, options.csv), CsvStream):
            settings += [CSV_READER, options.csv]
    digest.update(msgspec.json.encode(settings, order="sorted"))
    return digest.hexdigest()


def read_table(path: str, csv: CsvOptions | None = None) -> pa.Table:
    """The file (Parquet, CSV, JSON lines or Arrow) as it is. Raises SchemaError with one sentence when it can't be
    read."""
    with _reading(path):
        source = open_source(path, csv)
        return read_stream(source) if isinstance(source, Stream) else read_columns(source, source.schema.names)


@contextmanager
def file_columns(path: str, csv: CsvOptions | None = None, what: str = "reference") -> Iterator[Source]:
    """The file's columns, read when they are asked for. Raises SchemaError when it can't be opened; what comes up later
    is the caller's."""
    with ExitStack() as stack:
        with _reading(path, what):
            source = stack.enter_context(by_columns(open_source(path, csv)))
        yield source


@contextmanager
def file_rows(path: str, csv: CsvOptions | None = None) -> Iterator[Source]:
    """As `file_columns`. Raises SchemaError also when it can't be read later, or holds no rows."""
    with _reading(path), file_columns(path, csv) as source:
        if not sum(source.parts):
            raise SchemaError(f"the reference {path} holds no rows; name a file with a sample of normal data")
        yield source


@contextmanager
def _reading(path: str, what: str = "reference") -> Iterator[None]:
    """Says in one sentence what is wrong with a file that can't be read."""
    try:
        yield
    except FileNotFoundError as error:
        raise SchemaError(
            f"the {what} {path} does not exist; give the path of a Parquet, CSV, JSON lines or Arrow file"
        ) from error
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeError, OSError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SchemaError(
            f"the {what} {path} can't be read ({text}); give a sound Parquet, CSV, JSON lines or Arrow file"
        ) from error
