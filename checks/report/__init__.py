"""Reports: two tables compared, as a table, JSON, a page or a picture."""

from checks.report.comparison import compare
from checks.report.report import Report
from checks.report.result import ColumnReport

__all__ = ["ColumnReport", "Report", "compare"]
