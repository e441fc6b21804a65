"""What the child process does with a file, here without a child: only files of our own making."""

import json
from io import BytesIO
from typing import Any

import pytest
from docx import Document

import pdfs
from tandem.texts.reader import pdf, program
from tandem.texts.reader.failing import Damaged, TooCostly


def answer(content: bytes, do: str = "read", kind: str = "application/pdf", **said: Any) -> bytes:
    return program.answer({"do": do, "media_type": kind} | said, content)


def read(content: bytes, kind: str = "application/pdf") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer(content, kind=kind))
    return found


def test_pages_begin_where_they_are_said_to() -> None:
    found = read(pdfs.pdf(["One"], [], ["Three", "3"], info={"Title": "T", "Subject": "10.1000/s"}))

    assert found["text"] == "One\n\nThree\n3"
    assert found["page_starts"] == [0, 4, 5]
    assert (found["title"], found["dois"]) == ("T", ["10.1000/s"])


def test_each_code_point_leads_back_to_its_place() -> None:
    (boxes,) = json.loads(
        answer(pdfs.pdf(["ab cd", "ef"]), "boxes", spans=[(0, 3, 8)])  # "cd", its line's end, "ef"
    )["boxes"]

    (x, y, _, _), (x2, y2, _, _) = boxes
    assert x > x2
    assert y < y2


def test_a_page_that_is_turned_is_measured_as_it_is_shown() -> None:
    upright = pdfs.pdf(["word"])
    turned = upright.replace(b"<</Type/Page/Parent", b"<</Type/Page/Rotate 90/Parent")

    (((left, top, _, _),),) = json.loads(answer(turned, "boxes", spans=[(0, 0, 4)]))["boxes"]

    assert left > 0.9  # what was above is right
    assert top < 0.2


def test_nothing_of_an_empty_span_is_marked() -> None:
    assert json.loads(answer(pdfs.pdf(["word"]), "boxes", spans=[(0, 0, 0)]))["boxes"] == [[]]


def test_a_very_long_page_is_drawn_smaller() -> None:
    long = pdfs.pdf(["word"]).replace(b"[0 0 595 842]", b"[0 0 14 14400]")

    made = answer(long, "picture", page=0, width=1000)

    width, height = int.from_bytes(made[16:20]), int.from_bytes(made[20:24])
    assert width * height < 1.1 * pdf.LARGEST_PICTURE


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (pdfs.encrypted(), "encrypted"),
        (pdfs.many_pages(pdf.MOST_PAGES + 1), "too_costly"),
        (b"%PDF-1.7", "damaged"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, problem: str) -> None:
    assert read(content)["problem"] == problem


def test_there_is_no_picture_of_what_is_not_there() -> None:
    assert json.loads(answer(pdfs.pdf(["a"]), "picture", page=5, width=100))["problem"] == "damaged"


def test_too_many_characters_are_too_costly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_CHARACTERS", 10)

    with pytest.raises(TooCostly):
        pdf.read(pdfs.pdf(["ten letters"]))
    with pytest.raises(TooCostly):
        pdf.read(pdfs.pdf(["six"], ["more"], ["than"]))


def test_a_file_without_pages_is_damaged() -> None:
    with pytest.raises(Damaged):
        pdf.read(pdfs.pdf())


def test_texts_without_pages_are_read() -> None:
    document, made = Document(), BytesIO()
    document.add_paragraph("Words")
    document.save(made)

    word = read(made.getvalue(), "application/vnd.other")
    plain = read(b"\xef\xbb\xbfa\r\nb\x07", "text/plain")

    assert (word["text"], word["pages"], word["page_starts"]) == ("Words", None, [0])
    assert plain["text"] == "a\nb"
    assert read(b"PK\x03\x04", "application/vnd.other")["problem"] == "damaged"


def test_what_nobody_asks_for_is_refused() -> None:
    with pytest.raises(ValueError, match="erase"):
        answer(b"", "erase")
