"""The compose file: its schema is checked by `make lint`; here, that what it says fits the code."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from sendtrail import settings
from sendtrail.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
_OURS = ("sendtrail:", "sendtrail-web:")
STAGES = {name: service for name, service in COMPOSE["services"].items() if service["image"].startswith(_OURS)}


def _environment(service: dict[str, Any]) -> dict[str, str]:
    """As `docker compose` would give it: `${NAME:?…}` filled, `${NAME:-default}` the default."""
    filled = {}
    for name, value in service["environment"].items():
        text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))
        filled[name] = re.sub(r"\$\{\w+:\?[^}]*\}", "a-password", text)
    return filled


def test_every_variable_of_every_stage_is_a_known_setting() -> None:
    for name, service in STAGES.items():
        environment = _environment(service)
        unknown = set(environment) - set(settings.variables())
        assert not unknown, f"service {name} sets {unknown}"


def test_the_environment_of_every_stage_makes_valid_settings() -> None:
    for service in STAGES.values():
        config = settings.load(_environment(service), below={})
        for section in settings.SECTIONS:
            config.section(section)


def test_every_stage_runs_a_command_that_exists() -> None:
    commands = {command.name for command in app.registered_commands}
    assert {service["command"][0] for service in STAGES.values()} <= commands


def test_health_checks_ask_the_ports_the_stages_listen_on() -> None:
    ports = {
        "edge": settings.EdgeSettings().admin_port,
        "api": settings.ApiSettings().admin_port,
        "forward": settings.ForwardSettings().admin_port,
        "worker": settings.StreamSettings().admin_port,
        "loader": settings.LoaderSettings().admin_port,
        "web": settings.WebSettings().admin_port,
        "relay": settings.RelaySettings().admin_port,
    }
    for name, port in ports.items():
        assert STAGES[name]["healthcheck"]["test"][-1] == f"http://127.0.0.1:{port}/health"


def test_stages_start_after_keys_topics_and_tables_are_there() -> None:
    for name, service in STAGES.items():
        after = service["depends_on"]
        if name == "setup":
            assert {entry["condition"] for entry in after.values()} == {"service_healthy"}
        else:
            assert after == {"setup": {"condition": "service_completed_successfully"}}


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    secrets = re.findall(r"\w*PASSWORD\w*: (.*)", text)
    assert secrets
    assert all(re.fullmatch(r"\$\{\w+:\?.+\}", secret) for secret in secrets)
    assert all(
        line.endswith("=") for line in (ROOT / "docker/env.example").read_text().splitlines() if "PASSWORD=" in line
    )


def test_only_the_edge_listens_beyond_loopback() -> None:
    for name, service in COMPOSE["services"].items():
        for port in service.get("ports", []):
            assert name == "edge" or port.startswith("127.0.0.1:"), f"{name} publishes {port}"


def test_prometheus_scrapes_every_stage_where_it_listens() -> None:
    scrape = yaml.safe_load((ROOT / "dashboards/prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    targets = {target for entry in scrape["static_configs"] for target in entry["targets"]}
    targets |= {f"{name}:{found['port']}" for found in scrape["dns_sd_configs"] for name in found["names"]}
    asked = {name: service["healthcheck"]["test"][-1] for name, service in STAGES.items() if name != "setup"}
    health = {f"{name}:{urlsplit(url).port}" for name, url in asked.items()}
    assert targets == health
