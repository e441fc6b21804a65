"""The files in deploy/prometheus, read by the real Prometheus's own checker where it is there."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="promtool is not on PATH (Debian: apt-get install prometheus)",
)


def promtool(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test() -> None:
    rules = yaml.safe_load((FOLDER / "tandem.rules.yml").read_text("utf-8"))
    tests = yaml.safe_load((FOLDER / "tandem.tests.yml").read_text("utf-8"))["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]

    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == alerts


@needs_promtool
def test_alerts_fire_when_they_should_and_not_before() -> None:
    promtool(FOLDER, "test", "rules", "tandem.tests.yml")


@needs_promtool
def test_prometheus_takes_the_configuration(tmp_path: Path) -> None:
    for file in FOLDER.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "tandem.token").write_text("a token", encoding="utf-8")

    promtool(tmp_path, "check", "config", "prometheus.yml")
