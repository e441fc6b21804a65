"""The pages for people name files that exist."""

import re
from collections.abc import Iterator
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
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
_MODULE = re.compile(r"`([\w/]+\.py)`")
_HEADING = re.compile(r"^#+ (.+)$", re.M)
_PATH = re.compile(
    r"`((?:shared|services|tests|migrations|tools|deploy|docs|examples|benchmarks)/[\w./-]+)`"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    links = {found for found in _LINK.findall(text) if "://" not in found[0]}
    missing = {link for link, _ in links if not (page.parent / link).exists()}
    missing |= {f"{link}#{anchor}" for link, anchor in links if not _has(page, link, anchor)}
    missing |= {path for path in _PATH.findall(text) if not (ROOT / path).exists()}

    assert missing == set()


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_modules_that_are_named_for_short_are_there(page: str) -> None:
    named = set(_MODULE.findall((ROOT / page).read_text("utf-8")))
    there = [str(file) for top in ("shared", "services", "tests") for file in _modules(top)]

    assert named
    assert {name for name in named if not any(one.endswith(f"/{name}") for one in there)} == set()


def _modules(top: str) -> Iterator[Path]:
    return (file for file in (ROOT / top).rglob("*.py") if "node_modules" not in file.parts)


def _has(page: Path, link: str, anchor: str) -> bool:
    """Whether the page that is linked, or this one, has a heading of that name."""
    to = page.parent / link if link else page
    if not anchor or to.suffix != ".md" or not to.exists():
        return True
    headings = _HEADING.findall(to.read_text("utf-8"))
    return anchor in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_import_format_is_in_the_documents() -> None:
    table = (ROOT / "docs" / "records.md").read_text("utf-8").partition("## Formats")[2]
    assert {name for name in get_args(Format) if f"`{name}`" not in table} == set()
