"""A model's reference: whether it can be read, and what it is understood to mean."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.cli.doctor.finding import Finding, missing, ok, problem
from monitor.settings.model import ModelSettings
from monitor.store.references.plan import ReferencePlan


def reference(settings: ModelSettings) -> Iterator[Finding]:
    file = settings.reference_file
    if file is None and settings.reference is not None:
        yield ok("", ReferencePlan.of_model(settings).described())
        return
    if file is None:
        todo = "give a sample of normal data with the model's predictions under `reference`, or {first: 7d} to learn it"
        yield missing("", "there is none: drift is not measured, performance not compared", todo)
        return
    from monitor.cli.preflight import LOOKED_INTO, ReferenceProblem, schema_of

    if file.is_file() and (size := file.stat().st_size) > LOOKED_INTO:
        yield ok("", f"{file}, {size >> 20} MiB: not read here for its size; `watchkeeper check-config` does")
        return
    try:
        schema = schema_of(settings)
    except ReferenceProblem as error:
        yield problem("", str(error), "`watchkeeper check-config` shows what is understood; `schema` overrides it")
        return
    assert schema is not None
    about = f"{file}: {schema.task or 'no task'}, {len(schema.features)} features"
    if schema.target:
        yield ok("", f"{about}, target {schema.target}")
    else:
        todo = "name the true answers' column in schema.target, or add one"
        yield missing("", f"{about}; no target, so accuracy is compared with nothing", todo)
