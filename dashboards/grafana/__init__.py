"""Grafana dashboards as code: Python -> dashboards/grafana/json."""
