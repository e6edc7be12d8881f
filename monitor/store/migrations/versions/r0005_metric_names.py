"""The new names of three metrics, in what is remembered of alerts and incidents about them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Text, column, func, table, update

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAMES = {
    "gpu_pcie_throughput_bytes": "gpu_pcie_throughput_bytes_per_second",
    "gpu_temperature_left_celsius": "gpu_temperature_headroom_celsius",
    "probe_certificate_left_seconds": "probe_certificate_remaining_seconds",
}


def upgrade() -> None:
    for place, text in (("alerts", "memory"), ("incidents", "body")):
        json = column(text, Text)
        rows = table(place, column(text))
        for old, new in _NAMES.items():
            # The text is JSON without spaces; only a metric's name stands under these keys.
            for key in ("metric", "unit"):
                before, after = f'"{key}":"{old}"', f'"{key}":"{new}"'
                of = update(rows).where(json.contains(before, autoescape=True))
                op.execute(of.values({text: func.replace(json, before, after)}))
