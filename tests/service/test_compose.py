"""The compose file, checked without a container engine: by its schema and against our own code."""

import json
import re
import warnings
from importlib.metadata import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.main import get_command

from tandem.cli.main import app
from tandem.config import Settings

COMPOSE = Path(__file__).parents[2] / "docker-compose.yml"
OURS = ("api", "worker", "relay", "migrate")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return loaded


def test_it_satisfies_the_schema_of_compose_files(compose: dict[str, Any]) -> None:
    packaged = next(f for f in files("docker-compose") or [] if f.name == "compose_spec.json")
    schema = json.loads(Path(str(packaged.locate())).read_text(encoding="utf-8"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the schema names its draft loosely
        validator = jsonschema.Draft7Validator(schema)

    assert [error.message for error in validator.iter_errors(compose)] == []
    assert [e.message for e in validator.iter_errors(compose | {"services": {"api": 1}})] != []


@pytest.mark.parametrize("service", OURS)
def test_it_runs_commands_that_exist(compose: dict[str, Any], service: str) -> None:
    program, command = compose["services"][service]["command"]

    assert program == "tandem"
    assert command in get_command(app).commands  # type: ignore[attr-defined]  # a group


@pytest.mark.parametrize("service", OURS)
def test_it_sets_variables_that_exist(compose: dict[str, Any], service: str) -> None:
    known = {f"TANDEM_{name}".upper() for name in Settings.model_fields}

    assert set(compose["services"][service]["environment"]) <= known


def test_addresses_and_limits_are_passed_through(compose: dict[str, Any]) -> None:
    passed = {"PUBLIC_URL", "TRUSTED_PROXIES", "CORS_ORIGINS", "MAX_UPLOAD_MB", "LOG_LEVEL"}

    for service in OURS:
        environment = compose["services"][service]["environment"]
        for name in passed:
            assert environment[f"TANDEM_{name}"].startswith(f"${{TANDEM_{name}:-"), name


def test_values_that_are_left_out_are_ones_that_settings_take(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in compose["services"]["api"]["environment"].items():
        default = re.fullmatch(r"\$\{TANDEM_\w+:-(.*)\}", value)
        if default is not None:
            monkeypatch.setenv(name, default[1])

    assert Settings().public_url is None


def test_the_image_has_client_programs_of_the_servers_version(compose: dict[str, Any]) -> None:
    versions = {"bookworm": 15, "trixie": 17}  # of PostgreSQL in Debian's releases
    text = (COMPOSE.parent / "Dockerfile").read_text(encoding="utf-8")
    _, release = re.findall(r"^FROM python:3\.11-slim-(\w+)", text, re.MULTILINE)
    server = compose["services"]["postgres"]["image"].partition(":")[2]

    assert "postgresql-client" in text
    assert versions[release] >= int(server)


def test_workers_can_be_scaled(compose: dict[str, Any]) -> None:
    worker = compose["services"]["worker"]

    assert "container_name" not in worker
    assert "ports" not in worker


def test_everything_that_stays_up_has_a_health_check(compose: dict[str, Any]) -> None:
    lasting = {name for name in compose["services"] if name != "migrate"}

    assert {name for name in lasting if "healthcheck" in compose["services"][name]} == lasting


def test_nothing_starts_before_what_it_needs(compose: dict[str, Any]) -> None:
    for name in ("api", "worker", "relay"):
        needs = compose["services"][name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert needs["valkey"]["condition"] == "service_healthy"
    assert compose["services"]["migrate"]["depends_on"]["postgres"]["condition"] == (
        "service_healthy"
    )
