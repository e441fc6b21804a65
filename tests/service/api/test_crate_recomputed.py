"""A stranger takes a crate and computes its numbers again; what somebody changed is named."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from prepared import Prepared
from service.api.test_stopping_http import (
    N_INCLUDED,
    N_READ,
    N,
    Screening,
    head_of_a_ranking_read,
    needed,
)
from tandem.audit.checked import NotATrail
from tandem.cli import main as command
from tandem.demo.replay.papers import packed
from tandem.handover.crate_check import check_crate
from tandem.reviews.policy import Stage
from world import Team, World

SCRIPT = Path(__file__).parents[3] / "examples" / "recompute.py"
METADATA = "ro-crate-metadata.json"
REASONS = ["Not qualitative", "No peer workers"]


def build(world: World, client: TestClient) -> Team:
    """Ten records: 9 is a copy of 1; 10 is removed; 1 and 2 are one study; 5 is not retrieved.

    Conflicts are about 3, 4 and, at full text, 6; 8 is not decided.
    """
    team = world.team(n_records=10, exclusion_reasons=REASONS)
    r = team.review_id
    world.merge(r, team.owner, 1, 9)

    def put(path: str, **said: Any) -> Any:
        address = f"/api/v1/reviews/{r}{path}"
        method = said.pop("method", "PUT")
        answer = client.request(method, address, headers=team.owner.auth, **said)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    put("/records/10/removal", json={"kind": "other", "reason": "No abstract"})
    for number, (ann, ben) in {
        **dict.fromkeys((1, 2, 5, 6), ("include", "include")),
        3: ("include", "exclude"),
        4: ("maybe", "exclude"),
        7: ("exclude", "exclude"),
    }.items():
        world.decide(r, team.ann, number, ann)
        world.decide(r, team.ben, number, ben)
    world.resolve(r, team.judge, 3, "include")
    world.resolve(r, team.judge, 4, "exclude")
    for number in (1, 2, 3, 6):
        said = {"state": "retrieved", "via": "elsewhere"}
        put(f"/reports/{number}/retrieval", method="POST", json=said)
    said = {"state": "not_retrieved", "note": "Not held"}
    put("/reports/5/retrieval", method="POST", json=said)
    for number, (ann, ben) in {
        **dict.fromkeys((1, 2), ("include", "include")),
        3: ("exclude", "exclude"),
        6: ("include", "exclude"),
    }.items():
        for person, verdict in ((team.ann, ann), (team.ben, ben)):
            why = {"reasons": [REASONS[1], REASONS[0]]} if verdict == "exclude" else {}
            world.decide(r, person, number, verdict, stage=Stage.FULL_TEXT, **why)
    world.resolve(r, team.judge, 6, "exclude", stage=Stage.FULL_TEXT, reasons=[REASONS[1]])
    put("/studies", method="POST", json={"reports": ["1", "2"]})
    return team


@pytest.fixture
def both(world: World, client: TestClient, prepared: Prepared) -> tuple[Team, dict[str, bytes]]:
    return prepared(build_and_hand_over, world, client)


def build_and_hand_over(world: World, client: TestClient) -> tuple[Team, dict[str, bytes]]:
    team = build(world, client)
    return team, handed(client, team)


@pytest.fixture
def team(both: tuple[Team, dict[str, bytes]]) -> Team:
    return both[0]


@pytest.fixture
def crate(both: tuple[Team, dict[str, bytes]]) -> dict[str, bytes]:
    return both[1]


def handed(client: TestClient, team: Team) -> dict[str, bytes]:
    answer = client.get(
        f"/api/v1/reviews/{team.review_id}/handover?format=rocrate", headers=team.owner.auth
    )
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(crate: dict[str, bytes], folder: Path) -> Path:
    file = folder / "x.crate.zip"
    file.write_bytes(packed(crate))
    return file


def recomputed(file: Path) -> tuple[int, list[str]]:
    """Return the exit code of the script, and its lines about numbers that differ."""
    made = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(file)], capture_output=True, text=True, check=False
    )
    assert made.stderr == ""
    assert "numbers, " in made.stdout
    return made.returncode, [line for line in made.stdout.splitlines() if line.endswith("  NO")]


@pytest.mark.both_engines
def test_a_stranger_finds_the_same_numbers(
    crate: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(crate, tmp_path)
    flow = json.loads(crate["flow.json"])["boxes"]
    numbers = {key: box["n"] for key, box in flow.items() if box["n"]}
    assert numbers["duplicates"] == numbers["excluded_other"] == numbers["not_screened"] == 1
    assert numbers["dbr_notretrieved_reports"] == numbers["new_studies"] == 1
    assert numbers["dbr_excluded"] == numbers["new_reports"] == 2

    assert recomputed(file) == (0, [])
    assert command.main(["verify", str(file)]) == 0
    assert "boxes of the flow" in capsys.readouterr().out


def changed_vote(crate: dict[str, bytes]) -> None:
    lines = crate["trail.jsonl"].splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if b'"verdict":"exclude"' in line)
    lines[at] = lines[at].replace(b'"verdict":"exclude"', b'"verdict":"include"')
    crate["trail.jsonl"] = b"".join(lines)


def changed_flow(crate: dict[str, bytes]) -> None:
    flow = json.loads(crate["flow.json"])
    flow["boxes"]["records_screened"]["n"] += 1
    crate["flow.json"] = json.dumps(flow).encode()


def changed_item(crate: dict[str, bytes]) -> None:
    flow = json.loads(crate["flow.json"])
    flow["boxes"]["records_excluded"]["items"][0] = {"record_id": "8"}
    crate["flow.json"] = json.dumps(flow).encode()


def changed_item_without_a_number(crate: dict[str, bytes]) -> None:
    flow = json.loads(crate["flow.json"])
    flow["boxes"]["records_excluded"]["items"][0] = {"study_id": "a study"}
    crate["flow.json"] = json.dumps(flow).encode()


def changed_study(crate: dict[str, bytes]) -> None:
    flow = json.loads(crate["flow.json"])
    flow["boxes"]["new_studies"]["items"][0] = {"record_id": "8"}
    crate["flow.json"] = json.dumps(flow).encode()


def changed_flow_that_the_trail_hides(crate: dict[str, bytes]) -> None:
    crate["trail.jsonl"] = crate["trail.jsonl"].replace(b'{"flow":', b'{ "flow":')
    changed_flow(crate)


def removed_flow(crate: dict[str, bytes]) -> None:
    del crate["flow.json"]
    metadata = json.loads(crate[METADATA])
    metadata["@graph"] = [one for one in metadata["@graph"] if one["@id"] != "flow.json"]
    crate[METADATA] = json.dumps(metadata).encode()


def emptied_flow(crate: dict[str, bytes]) -> None:
    crate["flow.json"] = b'{"boxes":[]}'


def changed_figure(crate: dict[str, bytes]) -> None:
    crate["methods.md"] = crate["methods.md"].replace(
        b"| Percent agreement | 0.", b"| Percent agreement | 0.9", 1
    )


def changed_reason(crate: dict[str, bytes]) -> None:
    crate["excluded.csv"] = crate["excluded.csv"].replace(REASONS[0].encode(), b"Another reason")


def described_again(crate: dict[str, bytes]) -> None:
    """Let the description fit what was changed, as somebody would who wants to deceive."""
    metadata = json.loads(crate[METADATA])
    for one in metadata["@graph"]:
        if one["@id"] in crate and "sha256" in one:
            one["sha256"] = hashlib.sha256(crate[one["@id"]]).hexdigest()
    crate[METADATA] = json.dumps(metadata).encode()


@pytest.mark.parametrize(
    ("change", "name", "by_script", "by_verify"),
    [
        (changed_vote, "trail.jsonl", "First event that breaks the chain", "at entry "),
        (changed_flow, "flow.json", "Flow: records_screened", "the box records_screened"),
        (changed_item, "flow.json", "Flow: records_excluded, items", "the box records_excluded"),
        (changed_figure, "methods.md", "Methods: title_abstract, Percent agreement", None),
        (changed_reason, "excluded.csv", "Rows of excluded.csv with another reason", None),
    ],
)
def test_what_somebody_changed_is_named(
    crate: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, bytes]], None],
    name: str,
    by_script: str,
    by_verify: str | None,
) -> None:
    before = crate[name]
    change(crate)
    assert crate[name] != before
    file = written(crate, tmp_path)

    code, different = recomputed(file)
    assert code == 1
    assert f"SHA-256 of {name}" in different[0]
    assert command.main(["verify", str(file)]) == 1
    assert f"it says {name} with SHA-256" in capsys.readouterr().err

    described_again(crate)
    file = written(crate, tmp_path)

    code, different = recomputed(file)
    assert code == 1
    assert different[0].startswith(by_script)
    if by_verify is not None:
        assert command.main(["verify", str(file)]) == 1
        assert by_verify in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (changed_item_without_a_number, "the digest of the box records_excluded"),
        (changed_study, "the digest of the box new_studies"),
        (changed_flow_that_the_trail_hides, "a line of the flow in trail.jsonl in another form"),
        (emptied_flow, "what cannot be read in flow.json"),
        (removed_flow, "nothing of flow.json"),
    ],
)
def test_no_flow_passes_that_the_trail_does_not_prove(
    crate: dict[str, bytes], change: Callable[[dict[str, bytes]], None], named: str
) -> None:
    change(crate)
    described_again(crate)

    found = check_crate(io.BytesIO(packed(crate)))

    assert not found.ok
    assert named in str(found.difference)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_crate_is_refused(packing: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as archive:
        archive.writestr(METADATA, b'{"@graph":[{"@id":"trail.jsonl","sha256":"0"}]}' * 50)
        archive.writestr("trail.jsonl", b"")
    content = bytearray(file.getvalue())
    content[60:90] = bytes(byte ^ 0x5A for byte in content[60:90])
    check_refused(bytes(content))


def test_a_crate_with_a_password_or_in_another_encoding_is_refused() -> None:
    trail = "caf\u00e9".encode("latin-1")
    digest = hashlib.sha256(trail).hexdigest()
    metadata = {"@graph": [{"@id": "trail.jsonl", "sha256": digest}]}
    content = packed({METADATA: json.dumps(metadata).encode(), "trail.jsonl": trail})
    check_refused(content)
    with_password = bytearray(content)
    with_password[6] |= 1
    with_password[content.index(b"PK\x01\x02") + 8] |= 1
    check_refused(bytes(with_password))


def check_refused(content: bytes) -> None:
    with pytest.raises(NotATrail):
        check_crate(io.BytesIO(content))


def test_a_certificate_of_recall_is_in_the_report_and_in_the_crate(
    world: World, client: TestClient, tmp_path: Path
) -> None:
    screening = Screening(world, client, head_of_a_ranking_read(world))
    audit = screening.register()
    screening.open(audit)
    screening.read_draws(needed(N_INCLUDED, N - N_READ))
    given = screening.get(f"/audits/{audit['id']}/certificate.json")

    crate = handed(client, screening.team)

    # A sentence of Markdown, in which some signs are escaped.
    assert given["frame"]["sha256"] in crate["methods.md"].decode()
    (of_audit,) = json.loads(crate["certificates.json"])
    assert of_audit["audit_id"] == audit["id"]
    assert of_audit["certificates"][-1]["frame"] == given["frame"]
    flow = json.loads(crate["flow.json"])["boxes"]
    assert flow["excluded_automatic"]["n"] > 0, "left unread, by the certificate"
    # The scene has a ranking that no event tells of; every other number is the same.
    different = recomputed(written(crate, tmp_path))[1]
    assert [line.split("  ")[0] for line in different] == ["Methods: rankings"]


def test_near_misses_are_in_the_report_with_the_event_that_excluded_them(
    crate: dict[str, bytes],
) -> None:
    report = crate["methods.md"].decode().replace("\\", "")
    rows = [line.split(" | ") for line in report.splitlines() if line.startswith("| Lee, Ann")]
    (row,) = [row for row in rows if row[0].endswith("(2020). Title 6.")]
    because = "somebody would have kept it in; a resolution left it out"
    assert row[1:4] == [REASONS[1], because, "–"]
    events = [json.loads(line) for line in crate["trail.jsonl"].splitlines() if b'"seq"' in line]
    seq = int(row[4].split()[1])
    event = next(one for one in events if one.get("seq") == seq)
    assert (event["type"], event["subject"]) == ("tandem.record.excluded", "6")
    assert event["data"]["stage"] == "full_text"


def test_each_item_of_prisma_s_is_filled_or_left_to_the_team(crate: dict[str, bytes]) -> None:
    report = crate["methods.md"].decode()
    _, _, table = report.partition("## PRISMA-S, items 1 to 16")
    items = [line for line in table.split("\n## ")[0].splitlines() if line.startswith("| ")][1:]
    assert [int(line.split()[1]) for line in items] == [*range(1, 17)]
    assert "| 1 Database name | Medline | The team adds: the platform of Medline. |" in items
    assert items[-1].startswith("| 16 Deduplication | 1 duplicate removed by Tandem")


def test_a_file_that_is_missing_or_added_is_named(
    crate: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = {name: content for name, content in crate.items() if name != "decisions.csv"}
    assert command.main(["verify", str(written(gone, tmp_path))]) == 1
    assert "it says nothing of decisions.csv" in capsys.readouterr().err
    assert command.main(["verify", str(written(crate | {"more.txt": b"x"}, tmp_path))]) == 1
    assert "more.txt" in capsys.readouterr().err
    assert command.main(["verify", str(written({"a.txt": b""}, tmp_path))]) == 1
    assert "no crate of a review" in capsys.readouterr().err
