"""The fields that Zotero, EndNote, Covidence, JabRef and pandoc look for."""

import json
from dataclasses import replace

from tandem.records.export.record import ExportedRecord
from tandem.records.formats.entry import Kind
from unit.records.export.exported import ANN, BARE, FULL, NOON, written


def ris(record: ExportedRecord) -> list[str]:
    text = written("ris", record).decode()
    assert text.endswith("ER  - \r\n\r\n")
    return text.split("\r\n")[:-3]


def test_ris() -> None:
    assert ris(FULL) == [
        "TY  - JOUR",
        "ID  - 17",
        "TI  - Peer support: who does what, & why?",
        "AU  - Lee, Ann",
        "AU  - World Health Organization, Regional Importer",
        "AU  - Smith and Jones Group",
        "PY  - 2012",
        "T2  - Community Mental Health Journal",
        "VL  - 48",
        "IS  - 1-2",
        "SP  - 25",
        "EP  - 40",
        "DO  - 10.1007/s10597_011",
        "AN  - 21452057",
        "DB  - PubMed",
        "UR  - https://example.org/a_b?c=d&e=%7Ef#g~h",
        "LA  - English",
        "AB  - Background: 50% of workers {and others} say_so. Methods: we asked #21 for $5.",
        "KW  - peer support",
        "KW  - health, mental",
        "KW  - 50%",
        "KW  - Tandem title and abstract: excluded",
        "KW  - Tandem reason: wrong population",
        "KW  - Tandem reason: no data, none",
        "KW  - Tandem label: later",
        "LB  - excluded",
        "DP  - Medline; Embase",
        "N1  - Tandem decision: exclude by Ann Lee, 2027-01-02 12:00 UTC. Reasons: wrong "
        "population; no data; none. Labels: later. Note: See fig. 2.",
        "N1  - Tandem decision: include by Ben Ray, 2027-01-02 12:00 UTC",
        "N1  - Tandem resolution: exclude by Zoë, 2027-01-02 12:00 UTC. Reasons: wrong population",
    ]


def test_ris_of_a_record_that_is_little_more_than_a_title() -> None:
    assert ris(BARE) == ["TY  - GEN", "ID  - 1", "TI  - What peer workers say", "LB  - unscreened"]


def test_types_of_publications() -> None:
    thesis = replace(BARE, kind=Kind.THESIS)
    (item,) = json.loads(written("csl_json", thesis))

    assert ris(thesis)[0] == "TY  - THES"
    assert written("bibtex", thesis).startswith(b"@phdthesis{record-1,")
    assert item["type"] == "thesis"


def test_a_value_never_begins_a_line_of_its_own() -> None:
    nasty = replace(BARE, title="One\nER  - \r\nTY  - JOUR\u2028TI  - Two", abstract="a\n\nb")

    assert ris(nasty)[2:4] == ["TI  - One ER - TY - JOUR TI - Two", "AB  - a b"]


def test_reasons_of_an_exclude_that_was_overruled_are_no_tags() -> None:
    included = replace(FULL, status="included")

    assert "KW  - Tandem reason: wrong population" not in ris(included)
    assert any("Reasons: wrong population" in line for line in ris(included))


def test_bibtex() -> None:
    text = written("bibtex", replace(FULL, judged=(), status="unscreened")).decode()

    assert text.startswith("@article{lee2012-17,\n  title = {{Peer support: who does what, \\& ")
    assert (
        "  author = {Lee, Ann and World Health Organization, Regional Importer and "
        "{Smith and Jones Group}},\n" in text
    )
    assert "  pages = {25--40},\n" in text
    assert text.count("{") == text.count("}")


def test_csl_json() -> None:
    (item,) = json.loads(written("csl_json", FULL))

    assert item["id"] == "17"
    assert item["type"] == "article-journal"
    assert item["author"][0] == {"family": "Lee", "given": "Ann"}
    assert item["author"][2] == {"literal": "Smith and Jones Group"}
    assert item["issued"] == {"date-parts": [[2012]]}
    assert item["page"] == "25-40"
    assert item["note"].startswith("Tandem title and abstract: excluded\nTandem reason: ")
    assert item["custom"]["tandem"]["decisions"][0]["reviewer"] == "Ann Lee"
    assert "URL" not in json.loads(written("csl_json", BARE))[0]


def test_json_lines() -> None:
    odd = replace(FULL, judged=(replace(ANN, note="one\u2028two\x85three\nfour"),))
    first, second = written("jsonl", odd, BARE).decode().splitlines()

    assert json.loads(first)["decisions"] == [
        {
            "reviewer": "Ann Lee",
            "verdict": "exclude",
            "reasons": ["wrong population", "no data; none"],
            "labels": ["later"],
            "note": "one\u2028two\x85three\nfour",
            "decided_at": NOON.isoformat().replace("+00:00", "Z"),
        }
    ]
    assert json.loads(first)["sources"] == [
        {"source": "Medline", "ref": "21452057"},
        {"source": "Embase", "ref": None},
    ]
    assert json.loads(second)["status"] == "unscreened"


def test_a_vote_without_a_name() -> None:
    record = replace(FULL, judged=(replace(ANN, by=None, at=None),))

    assert "N1  - Tandem decision: exclude. Reasons: " in "\n".join(ris(record))
    assert json.loads(written("jsonl", record))["decisions"][0]["decided_at"] is None
    assert b"anonymous: exclude" in written("csv", record)


def test_no_records() -> None:
    assert written("ris") == written("bibtex") == written("jsonl") == b""
    assert json.loads(written("csl_json")) == []
    assert written("csv").startswith(b"record_id,title,abstract")
