"""Watchkeeper's dashboards as code. `make dashboards` writes what they make into grafana/dashboards/."""
