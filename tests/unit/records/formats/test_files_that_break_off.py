"""Files that end inside their last record, as a download does that was broken off."""

import pytest

from tandem.records.formats.entry import Entry
from tandem.records.formats.reading import read

_RIS = "TY  - JOUR\nTI  - Sleep {n}\nAB  - Of nurses.\nER  - \n\n"
_WOS = "PT J\nTI Sleep {n}\nAB Of nurses.\nER\n\n"
_REFWORKS = "RT Journal Article\nT1 Sleep {n}\nAB Of nurses.\n\n"
_BIBTEX = "@article{{k{n},\n title = {{Sleep {n}}},\n abstract = {{Of nurses.}}\n}}\n"


def breaking_off(text: str) -> list[tuple[str, bool]]:
    entries = list(read(text.encode()).entries)
    assert all(isinstance(entry, Entry) for entry in entries)
    return [(entry.title, entry.breaks_off) for entry in entries if isinstance(entry, Entry)]


def three(pattern: str, *, cut: str = "") -> str:
    text = "".join(pattern.format(n=n) for n in (1, 2, 3))
    return text[: text.rindex(cut) + len(cut)] if cut else text


@pytest.mark.parametrize("pattern", [_RIS, _WOS, _REFWORKS, _BIBTEX])
def test_no_whole_file_does(pattern: str) -> None:
    assert breaking_off(three(pattern)) == [(f"Sleep {n}", False) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    "cut", ["AB  - Of nur", "AB  - Of nurses.", "AB  - Of nurses.\n", "Sleep 3"]
)
def test_a_ris_whose_last_record_alone_has_no_end(cut: str) -> None:
    found = breaking_off(three(_RIS, cut=cut))

    assert found == [("Sleep 1", False), ("Sleep 2", False), ("Sleep 3", True)]


@pytest.mark.parametrize(
    ("pattern", "cut"), [(_WOS, "AB Of nur"), (_BIBTEX, "abstract = {Of nurses.}\n")]
)
def test_so_does_one_of_another_format_with_ends(pattern: str, cut: str) -> None:
    assert breaking_off(three(pattern, cut=cut))[-1] == ("Sleep 3", True)


@pytest.mark.parametrize(
    "text",
    [
        "TY  - JOUR\nTI  - Alone",
        three(_RIS).replace("ER  - \n", ""),
        three(_RIS.replace("ER  - \n", ""), cut="AB  - Of nur"),
        "TY  - JOUR\nTI  - One\n\n" + three(_RIS, cut="AB  - Of nur"),
        three(_RIS).rstrip(),
        three(_RIS) + "Exported from here\n",
        three(_REFWORKS, cut="AB Of nur"),
        three(_BIBTEX).replace("Sleep 3", "Sleep {3"),
    ],
)
def test_where_ends_are_not_written_throughout_nothing_is_said(text: str) -> None:
    assert not any(breaks_off for _, breaks_off in breaking_off(text))
