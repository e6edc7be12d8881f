"""What people decide is normal: references built on demand, accepted, or taken back into force. Each is recorded with
who decided, and holds from the next closing on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from monitor.store.engine import writing
from monitor.store.references.activations import Action, judged, read_activations, record_use
from monitor.store.tables import references, windows
from monitor.worker.messages import ModelOptions
from monitor.worker.references.from_stream import LearnedReference, NotLearned, learn, relearn
from monitor.worker.references.segments import freeze_from_file, keep
from monitor.worker.references.time_range import span_of
from monitor.worker.stored.references import (
    ReferenceSource,
    build_file,
    fingerprint,
    insert_reference,
    load,
    read_table,
)
from monitor.worker.stored.segments import load as load_segments

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides, when and why, and about which version of the model."""

    by: str
    now: float
    comment: str = ""
    version: str | None = None
    """None: all rows, or of a model whose versions have their own the version of the newest window."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of it."""

    id: int
    rows: int
    source: str
    version: str
    after: float | None
    notes: tuple[str, ...] = ()


def build(engine: Engine, options: ModelOptions, origin: str, decision: Decision, progress: Progress) -> Decided:
    """A new reference with bins of its own, from a file or from `events:<range>`. Raises NotLearned, SchemaError."""
    with engine.connect() as connection:
        version = _version(connection, options.model, decision)
        own = version if read_activations(connection, options.model).plan().per_version else None
        range_ = origin.removeprefix("events:") if origin.startswith("events:") else None
        span = span_of(connection, options.model, range_, options.every, own) if range_ is not None else None
    if span is None:
        reference = build_file(origin, options, progress)
        parts = freeze_from_file(read_table(origin, options.csv), options, reference) if options.segments else []
        made = LearnedReference(reference, tuple(parts))
        source = ReferenceSource("file", origin, fingerprint(origin, options), version, by=decision.by)
    else:
        made = learn(engine, span, options, progress)
        source = ReferenceSource("events", span.description, "", version, span.window, span.seq, by=decision.by)
    return _record(engine, options, "built", made, source, decision)


def accept(engine: Engine, options: ModelOptions, range_: str, decision: Decision, progress: Progress) -> Decided:
    """What these windows hold is normal: their counts under the bins of the reference in force. Raises NotLearned."""
    with engine.connect() as connection:
        version, uses = _version(connection, options.model, decision), read_activations(connection, options.model)
        plan, use = uses.plan(), uses.of(version=version)
        if plan.kind == "previous":
            raise NotLearned("a rolling reference accepts every window by itself; there is nothing to accept")
        if use is None or use.reference_id is None:
            raise NotLearned(
                "there is no reference yet whose bins could be kept; `watchkeeper reference build --from "
                f"events:{range_}` makes one of these windows"
            )
        own = version if plan.per_version else None
        base = load(connection, use.reference_id, own)
        span = span_of(connection, options.model, range_, options.every, own)
        parts = [one for one in load_segments(connection, base, options) if one.segmentation is not None]
    made = relearn(engine, span, options, base.reference, parts, progress)
    source = ReferenceSource("accepted", span.description, "", version, span.window, span.seq, base.id, decision.by)
    return _record(engine, options, "accepted", made, source, decision)


def use(engine: Engine, model: str, number: int, decision: Decision) -> Decided:
    """Puts a stored reference into force, again or for the first time. Raises NotLearned."""
    with writing(engine).begin() as connection:
        row = connection.execute(
            select(references.c.n, references.c.source, references.c.version).where(
                references.c.id == number, references.c.model == model
            )
        ).one_or_none()
        if row is None:
            raise NotLearned(f"model {model} has no reference {number}; `watchkeeper reference list` shows them")
        version = row.version if read_activations(connection, model).plan().per_version else ""
        load(connection, number)  # that another release stored can't be used
        after = judged(connection, model)
        record_use(
            connection,
            model,
            "used",
            number,
            after=after,
            now=decision.now,
            by=decision.by,
            version=version,
            comment=decision.comment,
        )
    return Decided(number, row.n, row.source, version, after)


def _record(
    engine: Engine,
    options: ModelOptions,
    action: Action,
    learned: LearnedReference,
    source: ReferenceSource,
    decision: Decision,
) -> Decided:
    model, made = options.model, learned.reference
    with writing(engine).begin() as connection:
        number = insert_reference(connection, model, made, source, decision.now)
        keep(connection, number, learned.segments, options)
        after = judged(connection, model)
        record_use(
            connection,
            model,
            action,
            number,
            after=after,
            now=decision.now,
            by=decision.by,
            version=source.version,
            comment=decision.comment,
        )
    return Decided(number, made.n, source.text, source.version, after, made.notes)


def _version(connection: Connection, model: str, decision: Decision) -> str:
    """The version that is decided about; '' where versions are not told apart."""
    if not read_activations(connection, model).plan().per_version:
        if decision.version is not None:
            raise NotLearned(
                "this model's versions are not told apart; say reference: {…, per_version: true} in the config first"
            )
        return ""
    if decision.version is not None:
        return decision.version
    newest = connection.scalar(
        select(windows.c.version)
        .where(windows.c.model == model, windows.c.version.is_not(None))
        .order_by(windows.c.end.desc())
        .limit(1)
    )
    if newest is None:
        raise NotLearned("say which version of the model it is for: --version")
    return str(newest)
