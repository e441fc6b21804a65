"""The pages for people name files that exist."""

import re
from pathlib import Path
from typing import get_args

import pytest

from tandem.records.formats.reading import Format

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "benchmarks" / "README.md",
]
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PATH = re.compile(
    r"`((?:shared|services|tests|migrations|tools|deploy|docs|examples|benchmarks)/[\w./-]+)`"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    links = {link for link in _LINK.findall(text) if "://" not in link}
    missing = {link for link in links if not (page.parent / link).exists()}
    missing |= {path for path in _PATH.findall(text) if not (ROOT / path).exists()}

    assert missing == set()


def test_every_import_format_is_in_the_documents() -> None:
    table = (ROOT / "docs" / "records.md").read_text("utf-8").partition("## Formats")[2]
    assert {name for name in get_args(Format) if f"`{name}`" not in table} == set()
