"""Stored references, for `reference list`, `history` and `show`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, select

from alerts.wording import number
from checks.data.schema import SchemaError
from checks.drift.methods.registry import METHODS
from checks.limits import Limit
from checks.profile import ProfileError
from checks.reference import Reference
from monitor.cli.failure import Failure
from monitor.cli.output import print_line, print_table
from monitor.cli.understood import plain_schema, print_schema
from monitor.clock import iso
from monitor.store.references.activations import read_activations
from monitor.store.references.active import CandidateReference, reference_status
from monitor.store.tables import references
from monitor.worker.stored.references import REFERENCE_CODEC

if TYPE_CHECKING:
    from monitor.worker.references.commands import Decided


def listed(engine: Engine, models: list[str]) -> dict[str, Any]:
    """References and what is being learned, JSON-ready."""
    query = select(*(column for column in references.c if column.name not in ("payload", "schema", "fingerprint")))
    with engine.connect() as connection:
        rows = connection.execute(
            query.where(references.c.model.in_(models)).order_by(references.c.model, references.c.id.desc())
        ).all()
        normals = {model: reference_status(connection, model) for model in models}
    since = {one.id: one for state in normals.values() for one in state.in_force}
    learning = [{"model": model, **one.plain()} for model, state in normals.items() for one in state.learning]
    return {"references": [_row(row, since.get(row.id)) for row in rows], "learning": learning}


def _row(row: Any, used: CandidateReference | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "model": row.model,
        "kind": row.kind,
        "version": row.version,
        "n": row.n,
        "created_at": iso(row.created_at),
        "created_by": row.created_by,
        "in_force": used is not None,
        "since": None if used is None or used.since is None else iso(used.since),
        "source": row.source,
        "window": None if row.window_start is None else [iso(row.window_start), iso(row.window_end)],
        "bins_of": row.binning_id or row.id,
    }


def print_listed(found: dict[str, Any]) -> None:
    """The list for people."""
    rows = found["references"]
    if not rows and not found["learning"]:
        print("no references; `watchkeeper reference build` makes them")
    if rows:
        header = ("ID", "MODEL", "VERSION", "KIND", "ROWS", "CREATED", "IN FORCE", "SOURCE")
        columns = ("id", "model", "version", "kind", "n", "created_at")
        held = ["" if not row["in_force"] else f"after {row['since']}" if row["since"] else "always" for row in rows]
        print_table(
            header,
            [[*(row[name] for name in columns), used, row["source"]] for row, used in zip(rows, held, strict=True)],
        )
    for one in found["learning"]:
        of = "" if one["version"] is None else f" version {one['version'] or '(none)'}"
        until = "from its first window on" if one["until"] is None else f"until {iso(one['until'])}"
        print_line(f"{one['model']}{of}: no reference yet, learning {until} ({one['share']:.0%} done)")


def decided(engine: Engine, models: list[str]) -> list[dict[str, Any]]:
    """Every decision on what is normal, newest first, JSON-ready."""
    with engine.connect() as connection:
        uses = [(model, use) for model in models for use in reversed(read_activations(connection, model).rows)]
    return [
        {
            "recorded_at": iso(use.recorded_at),
            "model": model,
            "version": use.version,
            "action": use.action,
            "reference": use.reference_id,
            "after": None if use.after is None else iso(use.after),
            "by": use.recorded_by,
            "comment": use.comment,
        }
        for model, use in uses
    ]


def decided_page(model: str, made: Decided) -> dict[str, Any]:
    """What came of a decision, JSON-ready."""
    return {"model": model, **asdict(made), "after": None if made.after is None else iso(made.after)}


def described(engine: Engine, model: str, id: int | None) -> dict[str, Any] | None:
    """The model's reference in force, else its newest, or the one with this id, JSON-ready; None if there is none."""
    with engine.connect() as connection:
        state = reference_status(connection, model)
        held = {one.id: one for one in state.in_force}
        wanted = id if id is not None else max(held, default=None)
        query = select(references).where(references.c.model == model).order_by(references.c.id.desc()).limit(1)
        if wanted is not None:
            query = query.where(references.c.id == wanted)
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.codec != REFERENCE_CODEC:
        raise Failure(f"reference {row.id} was stored by another release ({row.codec}); build it anew")
    try:
        reference = Reference.from_bytes(row.payload)
    except (ProfileError, SchemaError) as error:
        raise Failure(f"reference {row.id}: {error}") from None
    return {
        **_row(row, held.get(row.id)),
        "notes": list(reference.notes),
        "schema": plain_schema(reference.schema),
        "bins": {name: bins.names for name, bins in reference.binning.columns.items()},
        "performance": {
            name: {"value": estimate.value, "low": estimate.low, "high": estimate.high}
            for name, estimate in reference.performance.items()
        },
        "limits": [
            {"metric": metric, "labels": dict(labels), **_limit(limit, dict(labels).get("method"), row.n)}
            for (metric, labels), limit in sorted(reference.calibration.limits.items())
        ],
    }


def print_described(page: dict[str, Any]) -> None:
    """The page for people."""
    rows = f"{page['n']:,} rows of {page['source']}"
    print_line(f"reference {page['id']} of {page['model']}: {rows}, {page['created_at']}")
    version = f" of model version {page['version']}" if page["version"] else ""
    held = f"in force {'since ' + page['since'] if page['since'] else 'from the start'}" if page["in_force"] else ""
    print_line(f"  {page['kind']}{version}, by {page['created_by']}; {held or 'not in force'}")
    for note in page["notes"]:
        print_line(f"  note: {note}")
    print_schema(page["schema"])
    if page["performance"]:
        print("  performance, with its 95 % interval")
        for name, found in page["performance"].items():
            print_line(f"    {name:<15} {number(found['value'])}  ({number(found['low'])} to {number(found['high'])})")
    print("\nWindows of unchanged data stay within these limits, at the size that is named:\n")
    limits = []
    for limit in page["limits"]:
        labels = " ".join(f"{name}={value}" for name, value in limit["labels"].items())
        limits.append((limit["metric"], labels, limit["side"], number(limit["limit"]), f"{limit['rows']:,}"))
    print_table(("METRIC", "LABELS", "SIDE", "LIMIT", "ROWS"), limits)


def _limit(limit: Limit, method: str | None, n: int) -> dict[str, Any]:
    """The limit at the size of the windows of a reference of n rows, as measurements have it."""
    rows = max(1, round(limit.rows))
    value = limit.at(rows)
    if method is not None:
        value = METHODS[method].shown(value, n, rows)
    return {"side": "low" if limit.low else "high", "limit": value, "rows": rows}
