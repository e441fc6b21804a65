"""The flow as a picture: what it says, what it links to, and that no text leaves its box."""

import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from tandem.reporting.facts import Occurrence, RecordFacts
from tandem.reporting.flow import Template, flow
from tandem.reporting.layout import layout
from tandem.reporting.outline import title
from tandem.reporting.png import png
from tandem.reporting.svg import svg
from tandem.reporting.text_width import width, wrap
from tandem.screening.rules import Status
from unit.reporting.flows import HARD_REASONS, full

SVG = "{http://www.w3.org/2000/svg}"


def href(key: str, part: str | None) -> str:
    return f"/boxes/{key}?a=1&part={part}" if part else f"/boxes/{key}"


def drawn(template: Template = Template.UPDATED_V2) -> str:
    return svg(layout(full(), template, heading="Peers < & > others"), href)


@pytest.mark.parametrize("template", Template)
def test_each_template_has_its_columns_and_every_number_links(template: Template) -> None:
    root = ElementTree.fromstring(drawn(template))
    made = full()

    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    headings = [text for text in texts if text.startswith(("Identification", "Previous"))]
    assert len(headings) == 1 + template.is_updated + template.has_other_methods
    linked = [link for link in root.iter(f"{SVG}a") if link.find(f"{SVG}text") is not None]
    for link in linked:
        text = "".join(link.itertext()).replace("\N{NO-BREAK SPACE}", " ")
        key, _, part = link.attrib["href"].removeprefix("/boxes/").partition("?a=1&part=")
        box = made.boxes[key]
        n = box.n if not part else next(one.n for one in box.parts if one.label == part)
        assert text.endswith(f"(n = {n:,})"), text
    numbers = [text for text in texts if text.endswith(")") and "(n" in text]
    assert len(numbers) == len(linked)


def test_what_is_not_finished_is_dashed_and_said_aloud() -> None:
    unfinished, text = full(), drawn()
    finished = flow([RecordFacts(1, [Occurrence(1)], Status.EXCLUDED)])

    assert not unfinished.is_finished
    assert "NOT FINISHED" in text
    assert "stroke-dasharray" in text
    assert '<desc id="description">Not finished. ' in text
    assert "dasharray" not in svg(layout(finished, finished.template), href)
    assert "NOT FINISHED" not in svg(layout(finished, finished.template), href)


def test_numbers_that_do_not_add_up_say_so() -> None:
    made = flow([RecordFacts(1, [Occurrence(1)], Status.INCLUDED)])

    assert not made.holds
    assert "DOES NOT ADD UP" in svg(layout(made, made.template), href)


def test_the_picture_of_one_search_names_it_as_the_page_does() -> None:
    assert title(replace(full(), wave=2), "Peers") == "Peers: PRISMA 2020 flow diagram, search 2"
    assert title(full(), None) == "PRISMA 2020 flow diagram"


def test_equal_numbers_are_equal_bytes() -> None:
    assert drawn() == drawn()
    small = flow([RecordFacts(1, [Occurrence(1)], Status.EXCLUDED)])
    picture = layout(small, Template.NEW_V1)
    assert png(picture) == png(picture)
    assert png(picture).startswith(b"\x89PNG")


@pytest.mark.parametrize("text", HARD_REASONS)
def test_lines_are_no_wider_than_their_room_and_lose_nothing(text: str) -> None:
    lines = wrap(text, 12, 200)

    assert all(width(line, 12) <= 200 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_no_text_leaves_its_box_in_a_real_browser() -> None:
    """Measured by Chromium with the fonts that are there."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("chromium is not there; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content(drawn())
        outside = page.evaluate(
            """() => [...document.querySelectorAll('g')].flatMap(group => {
                const box = group.querySelector('rect').getBBox();
                return [...group.querySelectorAll('text')].filter(text => {
                    const it = text.getBBox();
                    return it.x < box.x || it.x + it.width > box.x + box.width
                        || it.y < box.y || it.y + it.height > box.y + box.height;
                }).map(text => text.textContent);
            })"""
        )
        n_texts = page.evaluate("document.querySelectorAll('g text').length")
        browser.close()

    assert n_texts > 40
    assert outside == []
