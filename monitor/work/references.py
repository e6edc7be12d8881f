"""References in the store: built from a file once, read by every closing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet
from sqlalchemy import Connection, Engine, insert, select

from checks.frame import from_reference
from checks.reference import Reference, build_reference
from checks.schema import SchemaError, SchemaOverrides, infer
from monitor.store.engine import writing
from monitor.store.tables import references
from monitor.work.closing import BuiltReference, ModelOptions

REFERENCE_CODEC = "reference/2"
READ_BYTES = 1 << 20


class UnknownReference(Exception):
    """A stored reference was written by a version that this one does not know."""


@dataclass(frozen=True, slots=True)
class StoredReference:
    """A reference and its number, which is its binning's version."""

    id: int
    reference: Reference


def newest(connection: Connection, model: str) -> StoredReference | None:
    """The model's newest reference. Raises UnknownReference."""
    row = connection.execute(
        select(references.c.id, references.c.codec, references.c.payload)
        .where(references.c.model == model)
        .order_by(references.c.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    if row.codec != REFERENCE_CODEC:
        raise UnknownReference(
            f"the reference of {model!r} is stored as {row.codec!r}; build it anew with `watchkeeper reference build`"
        )
    return StoredReference(row.id, Reference.from_bytes(row.payload))


def store(
    engine: Engine, path: str, options: ModelOptions, now: float, progress: Callable[[float], None] | None = None
) -> BuiltReference:
    """Builds and stores the reference in this file, unless the newest one has its content and settings already.
    Raises SchemaError."""
    fingerprint = _fingerprint(path, options)
    with engine.connect() as connection:
        known = connection.execute(
            select(references.c.id, references.c.n, references.c.fingerprint)
            .where(references.c.model == options.model)
            .order_by(references.c.id.desc())
            .limit(1)
        ).one_or_none()
    if known is not None and known.fingerprint == fingerprint:
        return BuiltReference(known.id, known.n, created=False)
    table = read_table(path)
    if not table.num_rows:
        raise SchemaError(f"the reference {path} holds no rows; name a file with a sample of normal data")
    schema = infer(table, overrides(options))
    frame = from_reference(table, schema)
    made = build_reference(
        frame, schema, bins=options.bins, every=options.every, progress=progress or (lambda _share: None)
    )
    values = {
        "model": options.model,
        "created_at": now,
        "source": str(path),
        "fingerprint": fingerprint,
        "n": made.n,
        "schema": schema.to_json(),
        "codec": REFERENCE_CODEC,
        "payload": made.to_bytes(),
    }
    with writing(engine).begin() as connection:
        query = insert(references).values(values).returning(references.c.id)
        id_ = connection.execute(query).scalar_one()
    return BuiltReference(id_, made.n, created=True)


def reread(engine: Engine, reference: StoredReference, path: str, options: ModelOptions) -> pa.Table:
    """The rows of the file that this reference was built from: of them the store keeps a summary alone. Raises
    SchemaError when the file is gone or another one."""
    with engine.connect() as connection:
        built = connection.scalar(select(references.c.fingerprint).where(references.c.id == reference.id))
    if _fingerprint(path, options) != built:
        raise SchemaError(
            f"the reference {path} is not what it was when it was built, so its rows can't be compared with; "
            "build it anew with `watchkeeper reference build`, or put the file back"
        )
    return read_table(path)


def overrides(options: ModelOptions) -> SchemaOverrides:
    """What the config says of the schema."""
    return SchemaOverrides(
        task=options.task,
        target=options.target,
        prediction=options.prediction,
        score=options.score,
        positive_class=options.positive_class,
        id=options.id,
        time=options.time,
        features=dict(options.features),
        ignore=options.ignore,
    )


def _fingerprint(path: str, options: ModelOptions) -> str:
    """Of the file's content and of all that the reference is made by."""
    digest = hashlib.blake2b(digest_size=32)
    with _reading(path), Path(path).open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
    settings = [REFERENCE_CODEC, overrides(options), options.bins, options.every]
    digest.update(msgspec.json.encode(settings, order="sorted"))
    return digest.hexdigest()


def read_table(path: str) -> pa.Table:
    """The file (Parquet, CSV or Arrow) as it is. Raises SchemaError with one sentence when it can't be read."""
    kind = Path(path).suffix.lower()
    with _reading(path):
        if kind in (".parquet", ".pq"):
            return pa.parquet.read_table(path)
        if kind in (".arrow", ".feather", ".ipc", ".arrows"):
            return _read_arrow(path)
        if kind == ".csv" or path.lower().endswith((".csv.gz", ".csv.zst", ".csv.bz2")):
            return pa.csv.read_csv(path)
    raise SchemaError(f"the reference {path} is of no known kind; give a .parquet, .csv, .arrow or .feather file")


def _read_arrow(path: str) -> pa.Table:
    with pa.memory_map(path) as source:
        try:
            return pa.ipc.open_file(source).read_all()
        except pa.ArrowInvalid:
            source.seek(0)
            return pa.ipc.open_stream(source).read_all()


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """Says in one sentence what is wrong with a file that can't be read."""
    try:
        yield
    except FileNotFoundError as error:
        raise SchemaError(
            f"the reference {path} does not exist; give the path of a Parquet, CSV or Arrow file"
        ) from error
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SchemaError(
            f"the reference {path} can't be read ({text}); give a sound Parquet, CSV or Arrow file"
        ) from error
