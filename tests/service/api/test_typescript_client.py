"""The recipe of docs/front-ends.md and the bodies of the README, as TypeScript sees them.

Needs node and npm. The packages come from npm's registry once; after that they are in
`tests/typescript/node_modules`.
"""

import fcntl
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from service.api.scene import METHODS
from service.live import Live
from world import World

ROOT = Path(__file__).parents[3]
KIT = ROOT / "tests" / "typescript"
SECONDS = 240
"""After which a step is taken to hang."""

_SENT = re.compile(
    r"""\bt (?:-X (?P<method>[A-Z]+) )?"?\$API(?P<path>/[^\s"?]*)[^\s"]*"?"""
    r""" -d '(?P<body>[^']+)'"""
)


@dataclass(frozen=True)
class Sent:
    """A body that a document sends, and where to."""

    document: str
    method: str
    path: str
    body: str


@pytest.fixture(scope="module")
def kit() -> Path:
    """Return the folder with the compiler; skip where there is none and none can be had."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are not there")
    with (KIT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side, and each may be the first
        installed = KIT / "node_modules" / ".installed"
        wanted = (KIT / "package-lock.json").read_text()
        if not installed.exists() or installed.read_text() != wanted:
            made = _run("npm", "ci", "--no-audit", "--no-fund", "--fetch-retries=1", folder=KIT)
            if made.returncode:
                pytest.skip(f"npm could not fetch the packages: {made.stderr.strip()[-300:]}")
            installed.write_text(wanted)
    return KIT


@pytest.fixture(scope="module")
def project(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with the recipe, the types made from the document, and the bodies."""
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(kit / "node_modules")
    for name in ("package.json", "tsconfig.json", "run.ts"):
        shutil.copy(kit / name, folder)
    (folder / "recipe.ts").write_text(_recipe(), encoding="utf-8")
    (folder / "bodies.ts").write_text("\n".join(_statements()), encoding="utf-8")
    maker = "node_modules/openapi-typescript/bin/cli.js"
    made = _run("node", maker, str(ROOT / "docs/openapi.json"), "-o", "tandem.d.ts", folder=folder)
    assert made.returncode == 0, made.stderr
    return folder


def test_the_documents_send_bodies_that_are_understood_here() -> None:
    assert len(_sent()) >= 5
    assert {one.document for one in _sent()} >= {"README.md"}


def test_the_recipe_and_the_documents_bodies_compile_and_run(
    project: Path, live: Live, world: World
) -> None:
    team = world.team(n_records=2)

    compiled = _run("node", "node_modules/typescript/bin/tsc", folder=project)
    assert compiled.returncode == 0, compiled.stdout
    done = _run("node", "run.js", live.url, team.owner.token, folder=project)

    assert (done.returncode, done.stdout.strip()) == (0, "done"), done.stderr


def _recipe() -> str:
    page = (ROOT / "docs" / "front-ends.md").read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```ts\n(.*?)^```", page, re.DOTALL | re.MULTILINE))


def _sent() -> list[Sent]:
    found = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for match in _SENT.finditer(page.read_text(encoding="utf-8")):
            method = (match["method"] or "POST").lower()
            path = _template(method, "/api/v1" + match["path"])
            found.append(Sent(page.name, method, path, match["body"]))
    return found


def _template(method: str, path: str) -> str:
    """Return the document's path for one with variables or ids in it."""
    parts = path.split("/")
    described = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    for template, operations in described.items():
        wanted = template.split("/")
        fits = len(parts) == len(wanted) and all(
            here == there or (there.startswith("{") and (here.isdigit() or here.startswith("$")))
            for here, there in zip(parts, wanted, strict=True)
        )
        if fits and method in set(operations) & set(METHODS):
            return str(template)
    raise AssertionError(f"no {method} {path} in the document")


def _statements() -> Iterator[str]:
    yield 'import type { paths } from "./tandem.js";'
    yield 'type Json<B> = B extends { content: { "application/json": infer T } } ? T : never;'
    for number, one in zip(count(), _sent(), strict=False):
        asked = f'NonNullable<paths["{one.path}"]["{one.method}"]["requestBody"]>'
        yield f"// {one.document}\nconst body{number}: Json<{asked}> = {one.body};"


def _run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )
