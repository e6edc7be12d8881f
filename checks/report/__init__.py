"""Reports: two tables compared, as a table, JSON, a page or a picture."""

from checks.report.comparison import compare
from checks.report.result import ColumnReport, Report

__all__ = ["ColumnReport", "Report", "compare"]
