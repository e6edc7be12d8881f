"""Every command, in the order in which `--help` lists them."""

from __future__ import annotations

import typer

from monitor.cli import (
    alerts,
    dashboards,
    database,
    demo,
    reference,
    report,
    rules,
    run,
    setup,
    silence,
    version,
)
from monitor.cli.doctor.command import doctor

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Watchkeeper stands watch over machine-learning models in production: drift, data quality, accuracy, latency, "
    "and one calm alert.",
)
app.callback()(version.options)
app.command()(demo.demo)
app.command()(setup.init)
app.command(name="check-config")(setup.check_config)
app.command()(doctor)
app.command()(run.run)
app.add_typer(reference.app, name="reference")
app.command()(report.report)
app.add_typer(alerts.app, name="alerts")
app.add_typer(silence.app, name="silence")
app.add_typer(rules.app, name="rules")
app.add_typer(dashboards.app, name="dashboards")
app.add_typer(database.app, name="db")
app.command()(version.version)
