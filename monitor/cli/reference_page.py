"""One stored reference in full, for `reference show`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from alerts.wording import number
from checks.drift.methods import METHODS
from checks.limits import Limit
from checks.profile import ProfileError
from checks.reference import Reference
from checks.schema import SchemaError
from monitor.cli.failure import Failure
from monitor.cli.output import print_table
from monitor.cli.understood import plain_schema, print_schema
from monitor.clock import iso
from monitor.store.tables import references
from monitor.work.references import REFERENCE_CODEC


def described(engine: Engine, model: str, id: int | None) -> dict[str, Any] | None:
    """The model's newest reference, or the one with this id, JSON-ready; None if there is none."""
    query = select(references).where(references.c.model == model).order_by(references.c.id.desc()).limit(1)
    if id is not None:
        query = query.where(references.c.id == id)
    with engine.connect() as connection:
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
        "id": row.id,
        "model": row.model,
        "created_at": iso(row.created_at),
        "source": row.source,
        "n": row.n,
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
    print(f"reference {page['id']} of {page['model']}: {page['n']:,} rows of {page['source']}, {page['created_at']}")
    for note in page["notes"]:
        print(f"  note: {note}")
    print_schema(page["schema"])
    if page["performance"]:
        print("  performance, with its 95 % interval")
        for name, found in page["performance"].items():
            print(f"    {name:<15} {number(found['value'])}  ({number(found['low'])} to {number(found['high'])})")
    print("\nWindows of unchanged data stay within these limits, at the size that is named:\n")
    rows = []
    for limit in page["limits"]:
        labels = " ".join(f"{name}={value}" for name, value in limit["labels"].items())
        rows.append((limit["metric"], labels, limit["side"], number(limit["limit"]), f"{limit['rows']:,}"))
    print_table(("METRIC", "LABELS", "SIDE", "LIMIT", "ROWS"), rows)


def _limit(limit: Limit, method: str | None, n: int) -> dict[str, Any]:
    """The limit at the size of the windows of a reference of n rows, as measurements have it."""
    rows = max(1, round(limit.rows))
    value = limit.at(rows)
    if method is not None:
        value = METHODS[method].shown(value, n, rows)
    return {"side": "low" if limit.low else "high", "limit": value, "rows": rows}
