"""The rules that are in force: the shipped ones and the config's."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from monitor.settings.shipped_files import shared_file

if TYPE_CHECKING:
    from alerts.rules.rule import Rule
    from monitor.settings.root import Config


def all_rules(config: Config) -> list[Rule]:
    """The rules that are in force: shipped ones, replaced by the config's of the same name, then the config's others;
    without those that are disabled."""
    shipped = default_rules() if config.default_rules else []
    rules = {rule.name: rule for rule in [*shipped, *config.rules]}
    return [rule for rule in rules.values() if rule.enabled]


def default_rules() -> list[Rule]:
    """The shipped rules, in their file's order. Raises ConfigError when that file is damaged."""
    return list(_shipped_rules())


@lru_cache(maxsize=1)  # reading them takes a sixth of a second, and leaves holes of 2 MB in memory
def _shipped_rules() -> tuple[Rule, ...]:
    # A daemon that was handed its rules reads none.
    from pydantic import ValidationError

    from alerts.rules.rule import Rule
    from monitor.config.check_rules import rule_problems
    from monitor.config.errors import ConfigError, stop
    from monitor.config.yaml_document import parse

    path = shared_file("rules.yaml")
    document = parse(path.read_text("utf-8"), {})
    stop(path, document.problems)
    try:
        rules = [Rule.model_validate(rule) for rule in document.value["rules"]]
    except ValidationError as error:
        raise ConfigError(path, None, str(error)) from None
    stop(path, list(rule_problems(rules, document, rules)))
    return tuple(rules)
