"""What the security documents say of tests: each of them exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"


@pytest.mark.parametrize("name", ["docs/security.md", "docs/threat-model.md"])
def test_every_test_that_is_named_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    named, file = set[tuple[str, str]](), ""
    for found_file, test in re.findall(
        r"`(?:tests/[\w/]+/)?(test_\w+\.py)?(?:::(test_\w+))?`", text
    ):
        file = found_file or file  # `::test_name` is in the file that was named last
        if found_file or test:
            named.add((file, test))

    assert len(named) > 10
    for file, test in sorted(named):
        found = [path.read_text("utf-8") for path in TESTS.rglob(file)]
        assert found, file
        assert any(f"def {test}(" in source for source in found) or not test, f"{file}::{test}"


@pytest.mark.parametrize("name", ["docs/security.md", "docs/threat-model.md", "docs/server.md"])
def test_every_file_that_is_linked_exists(name: str) -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text("utf-8"))

    assert linked
    assert [path for path in linked if not (ROOT / "docs" / path).exists()] == []
