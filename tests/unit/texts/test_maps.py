"""Maps of files to records, as reference managers write them."""

import pytest

from tandem.errors import Invalid
from tandem.ids import RecordNumber
from tandem.texts import maps
from tandem.texts.maps import FileMap, Known

SLEEP, MEMORY = RecordNumber(1), RecordNumber(2)
RECORDS = [
    Known(SLEEP, "Sleep in nurses: a study", "10.1000/sleep", "111"),
    Known(MEMORY, "Memory of nurses", None, "222"),
]

RIS = b"""TY  - JOUR
TI  - Sleep in nurses: A Study
L1  - internal-pdf://0123456789/Okafor 2012.pdf
ER  -

TY  - JOUR
TI  - Memory of nurses
L1  - file:///C:/Users/ann/Zotero/storage/AB12/Memory%20of.pdf; /other/second.PDF
ER  -
"""
ENDNOTE = b"""<?xml version="1.0"?><xml><records><record>
<ref-type name="Journal Article">17</ref-type><titles><title>Other title</title></titles>
<electronic-resource-num>10.1000/SLEEP</electronic-resource-num>
<urls><pdf-urls><url>internal-pdf://12/article.pdf</url></pdf-urls></urls></record>
<record><ref-type name="Journal Article">17</ref-type>
<titles><title>Memory of nurses</title></titles>
<urls><pdf-urls><url>internal-pdf://34/article.pdf</url></pdf-urls></urls></record></records></xml>"""
BIBTEX = b"@article{a, title={Memory of nurses}, file={:papers/m.pdf:PDF}}"


def read(content: bytes) -> FileMap:
    return FileMap(maps.read(content), RECORDS)


def test_ris_names_files_by_l1() -> None:
    found = read(RIS)

    assert found.of("pdfs/okafor 2012.PDF") == [SLEEP]
    assert found.of("Memory of.pdf") == [MEMORY]
    assert found.of("second.pdf") == [MEMORY]
    assert found.of("third.pdf") == []


def test_endnote_keeps_files_of_one_name_in_folders() -> None:
    found = read(ENDNOTE)

    assert found.of("Library.Data/PDF/12/article.pdf") == [SLEEP]
    assert found.of("34/article.pdf") == [MEMORY]
    assert found.of("article.pdf") == [SLEEP, MEMORY]
    assert found.of("56/article.pdf") == [SLEEP, MEMORY]
    assert found.of("56/article.pdf", is_unique=False) == []


def test_bibtex_names_files() -> None:
    assert read(BIBTEX).of("m.pdf") == [MEMORY]


@pytest.mark.parametrize(
    "content",
    [
        b"file,record\na.pdf,2\n",
        b"File Name;Path;DOI;Title\nx;y;z;w\n".replace(b"File Name", b"Note")
        + b"n;dir/a.pdf;;Memory of nurses\n",
        b"title\tpmid\tfile attachments\nany\t222\tC:\\x\\a.pdf;b.pdf\n",
    ],
)
def test_csv_names_files_in_a_column(content: bytes) -> None:
    assert read(content).of("a.pdf") == [MEMORY]


def test_what_a_line_says_has_to_agree() -> None:
    title = b"Memory of nurses"

    assert read(b"file,record,title\na.pdf,2," + title).of("a.pdf") == [MEMORY]
    assert read(b"file,record,title\na.pdf,1," + title).of("a.pdf") == [SLEEP, MEMORY]
    assert read(b"file,id,title\na.pdf,1," + title).of("a.pdf") == [MEMORY]
    assert read(b"file,doi,title\na.pdf,10.1000/none," + title).of("a.pdf") == [MEMORY]


@pytest.mark.parametrize("content", [b"TY  - JOUR\nTI  - Sleep\nER  - \n", b"\x00\x01", b""])
def test_a_map_that_names_no_file_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        maps.read(content)

    assert refused.value.field == "map"
