"""Unit tests of rules: input series, and the alerts that are to fire at some times, in a form close to promtool's."""

from monitor.rule_tests.form import RuleTestError
from monitor.rule_tests.run import RuleTestOutcome, run_tests

__all__ = ["RuleTestError", "RuleTestOutcome", "run_tests"]
