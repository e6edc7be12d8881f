"""What matchers hit, for `check-config` and `silence add`: the rules in force, and the alerts in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitor.cli.context import open_database
from monitor.cli.failure import Failure
from monitor.config.check_matchers import matcher_warnings, reach, route_lines
from monitor.config.rules_in_force import all_rules

if TYPE_CHECKING:
    from monitor.settings.root import Config


@dataclass(frozen=True)
class Matched:
    """The hits of a config's routes, a line each, and warnings of matchers that can hit nothing."""

    routes: list[str]
    warnings: list[str]


def matched(config: Config) -> Matched:
    """Return what the matchers of a config hit. Alerts count where there is a database already."""
    found = reach(config, all_rules(config), _present(config) if config.routes else None)
    return Matched(route_lines(config, found), matcher_warnings(config, found))


def _present(config: Config) -> list[dict[str, Any]] | None:
    from monitor.store.alerts.queries import AlertStore
    from monitor.store.writer import Writer

    try:
        with open_database(config) as engine:
            return AlertStore(engine, Writer(engine)).alerts(limit=None)
    except Failure:  # nothing was stored yet, or not here
        return None
