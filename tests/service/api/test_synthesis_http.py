"""The synthesis: coded projects come back, and which construct rests on what is accounted for."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

import pdfs
import refi
from coding import Coded, coded, texts
from prepared import Prepared
from service.api.reports_with_texts import TITLES, Api, at_full_text
from tandem.config import Settings
from tandem.handover.refi_xml import read_code_book
from world import Person, Team, World

ASTRAL = "I had been where they are now \U0001d4ab \U0001f9e0, and that changed it."
CODES = [("Identity",), ("Identity", "Reframing"), ("Trust",)]
ONE, TWO = "Lee 2020 [1]", "Lee 2020 [2]"


@pytest.fixture
def api(client: TestClient, world: World, settings: Settings, prepared: Prepared) -> Api:
    return Api(client, world, settings, prepared(build, client, world, settings))


def build(client: TestClient, world: World, settings: Settings) -> Team:
    """Reports 1 and 2 are included, 3 is excluded; 1 has a PDF, 2 a text with CRLF."""
    api = Api(client, world, settings, at_full_text(world))
    api.add(pdfs.pdf(["A report on trust", "and on peer workers"]), 1, "one.pdf")
    api.add(f"First line\r\nSecond line\r\n{ASTRAL}\r\n".encode(), 2, "two.txt")
    api.read()
    for number, verdict in ((1, "include"), (2, "include"), (3, "exclude")):
        for person in (api.team.ann, api.team.ben):
            vote(api, person, number, verdict)
    return api.team


def vote(api: Api, person: Person, number: int, verdict: str) -> None:
    reasons = ["Not qualitative"] if verdict == "exclude" else []
    said = {"verdict": verdict, "stage": "full_text", "reasons": reasons}
    ask(api, "PUT", f"/records/{number}/decision", person, json=said)


def ask(api: Api, method: str, path: str, person: Person | None = None, **said: Any) -> Any:
    """Ask as somebody, the owner by default, and return the answer's body."""
    by = person or api.team.owner
    answer = api.client.request(method, f"{api.review}{path}", headers=by.auth, **said)
    assert answer.is_success, answer.text
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    return answer.json() if is_json else answer.content


def handed(api: Api) -> bytes:
    content: bytes = ask(api, "GET", "/handover?format=qdpx")
    return content


def at(project: bytes, source: str, words: str, code: str, who: str = "Ann") -> Coded:
    start = texts(project)[source].index(words)
    return Coded(source, start, start + len(words), code, who)


def send(api: Api, content: bytes, **said: Any) -> dict[str, Any]:
    files = {"file": ("coded.qdpx", content)}
    found: dict[str, Any] = ask(api, "POST", "/synthesis/imports", files=files, data=said)
    return found


def states(sent: dict[str, Any]) -> tuple[int, int, int]:
    return sent["n_kept"], sent["n_moved"], sent["n_lost"]


def codes(api: Api) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in ask(api, "GET", "/synthesis/codes")["items"]}


def mark(api: Api, name: str, kind: str | None) -> None:
    ask(api, "PATCH", f"/synthesis/codes/{codes(api)[name]['id']}", json={"kind": kind})


def matrix(api: Api, of: str = "constructs") -> dict[str, Any]:
    found: dict[str, Any] = ask(api, "GET", f"/synthesis/matrix?of={of}")
    return found


@pytest.mark.both_engines
def test_a_coded_project_comes_back_as_constructs_by_studies(api: Api) -> None:
    out = handed(api)
    passages = [at(out, TWO, ASTRAL, "Reframing", "Ben"), at(out, ONE, "trust", "Trust")]

    sent = send(api, coded(out, passages, CODES))

    assert states(sent) == (2, 0, 0)
    assert sent["coders"] == ["Ann (coder)", "Ben (coder)"]
    assert [(one["record_id"], one["found_by"]) for one in sent["sources"]] == [
        ("1", "guid"),
        ("2", "guid"),
    ]
    assert [tuple(one["path"]) for one in codes(api).values()] == CODES
    assert matrix(api)["rows"] == []
    assert [one["feeds_none"] for one in matrix(api)["studies"]] == [None, None]

    mark(api, "Identity", "construct")

    found = matrix(api)
    (row,) = found["rows"]
    assert (row["name"], row["n_passages"], row["n_studies"]) == ("Identity", 1, 1)
    (cell,) = row["cells"]
    (passage,) = cell["passages"]
    assert (cell["study"], passage["record_id"], passage["quote"]) == ("S2", "2", ASTRAL)
    assert (passage["code"], passage["coder"]) == ("Identity / Reframing", "Ben (coder)")
    plain = ask(api, "GET", f"/texts/{passage['text_id']}/plain").decode()
    assert plain[passage["start"] : passage["end"]] == ASTRAL
    assert [(one["key"], one["feeds_none"]) for one in found["studies"]] == [
        ("S1", True),
        ("S2", False),
    ]
    assert (found["n_lost"], found["n_unmarked"], found["unused_reports"]) == (0, 1, [])
    assert [row["name"] for row in matrix(api, "codes")["rows"]] == [path[-1] for path in CODES]
    event = ask(api, "GET", f"/events?after={sent['sequence'] - 1}")["items"][0]
    assert event["type"] == "tandem.synthesis.imported"
    assert event["data"] == {"import_id": sent["id"]}


@pytest.mark.both_engines
def test_the_code_book_of_an_owner_goes_out_until_coded_projects_come_back(api: Api) -> None:
    give(api, b"Self\n  Shame | Felt, not named\nTrust\n  Shame\n")
    mark(api, "Self", "construct")
    out = handed(api)
    names = [one.get("name") for one in refi.read(out).all("Code")]
    assert names == ["Self", "Shame", "Trust", "Shame (2)"]
    qdc = ask(api, "GET", "/handover?format=qdc")
    assert [one.name for one in read_code_book(qdc)] == names
    assert handed(api) == out

    # A tool that makes GUIDs of its own: codes are known by their names.
    paths = [("Self",), ("Self", "Shame"), ("Trust",), ("Trust", "Shame (2)"), ("Hope",)]
    send(api, coded(out, [at(out, TWO, ASTRAL, "Hope")], paths, new_ids=True))

    assert [one["name"] for one in codes(api).values()] == [path[-1] for path in paths]
    assert codes(api)["Self"]["kind"] == "construct"
    assert [one.get("name") for one in refi.read(handed(api)).all("Code")] == [
        path[-1] for path in paths
    ]

    give(api, b"Hope\nFear\n")

    assert [*codes(api)] == ["Hope", "Fear", "Self", "Shame", "Trust", "Shame (2)"]


def give(api: Api, content: bytes) -> None:
    ask(api, "PUT", "/synthesis/code-book", files={"file": ("codes.txt", content)})


def test_the_account_is_a_table_too(api: Api) -> None:
    out = handed(api)
    send(api, coded(out, [at(out, TWO, ASTRAL, "Trust")], CODES))
    mark(api, "Trust", "theme")

    table = ask(api, "GET", "/synthesis/matrix?format=csv&of=themes").decode()
    passages = ask(api, "GET", "/synthesis/matrix?format=passages&of=themes").decode()

    assert [*csv.reader(io.StringIO(table))] == [
        ["row", "path", "kind", "passages", "studies", "S1", "S2"],
        ["Trust", "Trust", "theme", "1", "1", "0", "1"],
    ]
    (passage,) = csv.DictReader(io.StringIO(passages))
    assert (passage["study"], passage["record_id"], passage["quote"]) == ("S2", "2", ASTRAL)


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def shifted(text: str) -> str:
    return f"Added by the tool.\n{text}"


@pytest.mark.parametrize("edit", [crlf, shifted])
def test_what_a_tool_did_to_the_text_moves_passages(api: Api, edit: Callable[[str], str]) -> None:
    out = handed(api)
    start = edit(texts(out)[TWO]).index(ASTRAL)
    passage = Coded(TWO, start, start + len(ASTRAL), "Trust")

    sent = send(api, coded(out, [passage], CODES, edit=edit, new_ids=True))

    assert states(sent) == (0, 1, 0)
    listed = ask(api, "GET", f"/synthesis/imports/{sent['id']}/passages?state=moved")["items"]
    assert [(one["quote"], one["record_id"]) for one in listed] == [(ASTRAL, "2")]


def test_a_source_is_found_by_its_text_where_the_tool_gave_it_another_id(api: Api) -> None:
    out = handed(api)
    sent = send(api, coded(out, [at(out, TWO, ASTRAL, "Trust")], CODES, new_ids=True))
    assert states(sent) == (1, 0, 0)
    assert [one["found_by"] for one in sent["sources"]] == ["text", "text"]


def test_a_passage_that_is_not_in_the_text_is_lost_and_kept_in_its_words(api: Api) -> None:
    out = handed(api)
    words = "Words that nobody wrote."
    passage = Coded(TWO, 0, len(words), "Trust")

    sent = send(api, coded(out, [passage], CODES, edit=lambda text: words + text[40:]))

    assert states(sent) == (0, 0, 1)
    (lost,) = ask(api, "GET", f"/synthesis/imports/{sent['id']}/passages?state=lost")["items"]
    assert (lost["quote"], lost["start"], lost["record_id"]) == (words, None, "2")
    assert matrix(api, "codes")["n_lost"] == 1


def test_a_project_of_another_review_is_of_no_report(api: Api, world: World) -> None:
    out = handed(api)
    foreign = coded(out, [at(out, TWO, ASTRAL, "Trust")], CODES)
    other = Api(api.client, world, api.settings, world.team(n_records=1))

    sent = send(other, foreign)

    assert states(sent) == (0, 0, 1)
    assert [one["record_id"] for one in sent["sources"]] == [None, None]


@pytest.mark.both_engines
def test_a_newer_state_takes_the_place_of_the_older_and_gives_it_back(api: Api) -> None:
    out = handed(api)
    first = send(api, coded(out, [at(out, TWO, ASTRAL, "Trust")], CODES, new_ids=True))
    mark(api, "Trust", "construct")
    both = [at(out, TWO, ASTRAL, "Trust"), at(out, ONE, "trust", "Trust", "Ben")]

    second = send(api, coded(out, both, CODES, new_ids=True))

    assert second["replaces"] == [first["id"]]
    assert matrix(api)["rows"][0]["n_passages"] == 2
    listed = ask(api, "GET", "/synthesis/imports")["items"]
    assert [(one["id"], one["counts"]) for one in listed] == [
        (second["id"], True),
        (first["id"], False),
    ]

    ask(api, "DELETE", f"/synthesis/imports/{second['id']}")

    assert matrix(api)["rows"][0]["n_passages"] == 1
    (left,) = ask(api, "GET", "/synthesis/imports")["items"]
    assert (left["id"], left["counts"]) == (first["id"], True)


def test_a_project_that_was_taken_back_is_named_by_none(api: Api) -> None:
    out = handed(api)
    first = send(api, coded(out, [at(out, TWO, ASTRAL, "Trust")], CODES))
    both = [at(out, TWO, ASTRAL, "Trust"), at(out, ONE, "trust", "Trust", "Ben")]
    second = send(api, coded(out, both, CODES))

    ask(api, "DELETE", f"/synthesis/imports/{first['id']}")

    (left,) = ask(api, "GET", "/synthesis/imports")["items"]
    assert (left["id"], left["replaces"]) == (second["id"], [])


def test_the_same_file_again_changes_nothing(api: Api) -> None:
    out = handed(api)
    content = coded(out, [at(out, TWO, ASTRAL, "Trust")], CODES)
    assert send(api, content)["id"] == send(api, content)["id"]
    assert len(ask(api, "GET", "/synthesis/imports")["items"]) == 1


def test_a_second_coder_stands_beside_the_first_and_agreement_is_of_both(api: Api) -> None:
    out = handed(api)
    send(api, coded(out, [at(out, TWO, ASTRAL, "Trust"), at(out, ONE, "trust", "Trust")], CODES))
    theirs = [at(out, TWO, ASTRAL, "Reframing", "Ben"), at(out, ONE, "peer", "Trust", "Ben")]

    sent = send(api, coded(out, theirs, CODES))

    assert sent["replaces"] == []
    (pair,) = ask(api, "GET", "/synthesis/agreement")["items"]
    assert (pair["first"], pair["second"]) == ("Ann (coder)", "Ben (coder)")
    assert pair["measured"] == "used the code in the report or not"
    assert (pair["n_reports"], pair["n_codes"]) == (2, 2)
    assert pair["figures"]["table"] == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert pair["figures"]["percent"]["value"] == 0.5


def test_two_people_of_one_name_stand_beside_each_other_if_asked(api: Api) -> None:
    out = handed(api)
    send(api, coded(out, [at(out, TWO, ASTRAL, "Trust")], CODES))
    sent = send(api, coded(out, [at(out, ONE, "trust", "Trust")], CODES), beside="true")
    assert sent["replaces"] == []
    assert codes(api)["Trust"]["n_passages"] == 2


@pytest.mark.both_engines
def test_a_passage_that_two_files_have_counts_once(api: Api) -> None:
    out = handed(api)
    same = at(out, TWO, ASTRAL, "Trust")
    send(api, coded(out, [same], CODES, name="A"))
    send(api, coded(out, [same, at(out, ONE, "peer", "Trust")], CODES, name="B", new_ids=True))
    mark(api, "Trust", "construct")
    assert matrix(api)["rows"][0]["n_passages"] == 2
    assert codes(api)["Trust"]["n_passages"] == 2


def test_a_report_that_is_not_included_any_more_is_named(api: Api) -> None:
    out = handed(api)
    send(api, coded(out, [at(out, TWO, ASTRAL, "Trust")], CODES))
    mark(api, "Trust", "construct")
    for person in (api.team.ann, api.team.ben):
        vote(api, person, 2, "exclude")

    found = matrix(api)

    assert found["unused_reports"] == ["2"]
    assert [(row["n_passages"], row["cells"]) for row in found["rows"]] == [(0, [])]
    assert [one["feeds_none"] for one in found["studies"]] == [True]


def test_passages_of_a_report_that_is_shown_as_another_record_by_now_come_back(
    api: Api, world: World
) -> None:
    """It was handed over without a file, by its title and abstract."""
    world.to_full_text(api.team, 4)
    for person in (api.team.ann, api.team.ben):
        vote(api, person, 4, "include")
    out, words = handed(api), "no interest to anybody"
    (source,) = [name for name, text in texts(out).items() if words in text]
    abstract = "It is of no interest. " * 9
    (richer,) = world.records(api.team.review_id, api.team.owner, texts=[(TITLES[3], abstract)])
    world.merge(api.team.review_id, api.team.owner, 4, richer)

    sent = send(api, coded(out, [at(out, source, words, "Trust")], CODES))

    assert states(sent) == (1, 0, 0)
    mark(api, "Trust", "construct")
    (row,) = matrix(api)["rows"]
    ((passage,),) = [cell["passages"] for cell in row["cells"]]
    assert (passage["record_id"], passage["quote"]) == (str(richer), words)


def test_what_is_no_project_is_refused_with_its_reason(api: Api) -> None:
    answer = api.client.post(
        f"{api.review}/synthesis/imports",
        files={"file": ("x.qdpx", b"PK")},
        headers=api.team.owner.auth,
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_project")


def test_the_blinded_see_nothing_of_it_and_owners_alone_change_it(api: Api) -> None:
    out = handed(api)
    send(api, coded(out, [at(out, TWO, ASTRAL, "Trust")], CODES))
    code = codes(api)["Trust"]["id"]

    def status(method: str, path: str, person: Person, **said: Any) -> int:
        address = f"{api.review}/synthesis{path}"
        return api.client.request(method, address, headers=person.auth, **said).status_code

    for path in ("/imports", "/codes", "/matrix", "/agreement"):
        assert status("GET", path, api.team.ann) == 403
        assert status("GET", path, api.team.judge) == 200
    said = {"json": {"kind": "theme"}}
    assert status("PATCH", f"/codes/{code}", api.team.judge, **said) == 403
    files = {"files": {"file": ("coded.qdpx", out)}}
    assert status("POST", "/imports", api.team.judge, **files) == 403
