"""A model's reference: whether it can be read, and what it is understood to mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.cli.doctor.finding import Finding, missing, ok, problem
from monitor.cli.remarks import reference_remarks
from monitor.settings.model import ModelSettings
from monitor.store.references.plan import ReferencePlan

if TYPE_CHECKING:
    from monitor.cli.preflight import ReferenceFacts


def reference(settings: ModelSettings) -> Iterator[Finding]:
    file = settings.reference_file
    if file is None and settings.reference is not None:
        yield ok("", ReferencePlan.of_model(settings).described())
        return
    if file is None:
        todo = "give a sample of normal data with the model's predictions under `reference`, or {first: 7d} to learn it"
        yield missing("", "there is none: drift is not measured, performance not compared", todo)
        return
    from monitor.cli.preflight import LOOKED_INTO, ReferenceProblem, reference_facts

    if file.is_file() and (size := file.stat().st_size) > LOOKED_INTO:
        yield ok("", f"{file}, {size >> 20} MiB: not read here for its size; `watchkeeper check-config` does")
        return
    try:
        facts = reference_facts(settings)
    except ReferenceProblem as error:
        yield problem("", str(error), "`watchkeeper check-config` shows what is understood; `schema` overrides it")
        return
    assert facts is not None
    yield _understood(str(file), facts)
    for remark in (*facts.leftovers, *reference_remarks(settings, facts.rows)):
        yield missing(f"{settings.model}: remark", remark)


def _understood(file: str, facts: ReferenceFacts) -> Finding:
    """Return the finding that names the column of each role, and what to add for those that were not found."""
    schema = facts.schema
    found = ", ".join(f"{one.role} {one.column!r} by {one.by}" for one in facts.roles if one.column is not None)
    absent = [one for one in facts.roles if one.column is None]
    about = f"{file}: {schema.task or 'no task'}, {len(schema.features)} features; {found or 'no column has a role'}"
    about += f"; not found: {', '.join(one.role for one in absent)}" if absent else ""
    todo = f"where a column holds it, add {', '.join(one.add for one in absent)}" if absent else ""
    if schema.target:
        return ok("", about, todo)
    return missing("", f"{about}; there is no target, so accuracy is compared with nothing", todo)
