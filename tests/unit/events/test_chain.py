"""The chain's hashes: of what is written here letter by letter. Old trails verify by the same."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

from tandem.events.chain import LoggedEvent, link, new_salt, seal

SALT = "0123456789abcdef" * 2
AT = datetime(2026, 11, 30, 20, 24, 27, 5, tzinfo=UTC)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def event(**other: object) -> LoggedEvent:
    written = {
        "seq": 3,
        "id": "0198c0de-0000-7000-8000-000000000001",
        "type": "tandem.decision.recorded",
        "time": AT,
        "subject": "records/7",
        "data": {"status": "awaiting", "record_id": "7"},
    }
    return LoggedEvent(**(written | other))  # type: ignore[arg-type]  # as the dictionary has it


def test_a_detail_is_sealed_with_its_keys_in_order_and_nothing_escaped() -> None:
    detail = {"verdict": "include", "note": 'Größe "x"'}
    written = '{"note":"Größe \\"x\\"","verdict":"include"}'
    assert seal(detail, SALT) == sha256(f"{SALT}\n{written}")
    assert seal(detail, SALT) == "3a34b25f54363e7379044fcc45c7f45dcfc621ff89fb9e1c16d7872ffdfdf196"


def test_an_entry_is_linked_to_the_one_before() -> None:
    sealed = "3a34b25f54363e7379044fcc45c7f45dcfc621ff89fb9e1c16d7872ffdfdf196"
    entry = (
        '{"data":{"record_id":"7","status":"awaiting"},"id":"0198c0de-0000-7000-8000-000000000001",'
        '"seq":3,"subject":"records/7","time":"2026-11-30T20:24:27.000005+00:00",'
        '"type":"tandem.decision.recorded"}'
    )
    assert link("ab" * 32, event(), sealed) == sha256(f"{'ab' * 32}\n{entry}\n{sealed}")
    assert link("ab" * 32, event(), sealed) == (
        "3ebeba3609263c56350f2f7e33f5939c2fc9447b26049aa5dd9065067d5a2094"
    )


def test_the_same_instant_elsewhere_is_the_same_entry() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=-5)))
    assert link("", event(time=elsewhere), "s") == link("", event(), "s")


def test_every_part_of_an_entry_counts() -> None:
    others = [
        event(seq=4),
        event(id="other"),
        event(type="tandem.decision.withdrawn"),
        event(time=AT + timedelta(microseconds=1)),
        event(subject=None),
        event(data={"status": "awaiting", "record_id": "8"}),
    ]
    links = [link("a", one, "s") for one in (event(), *others)]
    links += [link("b", event(), "s"), link("a", event(), "t")]
    assert len(set(links)) == len(links)


def test_what_is_no_unicode_is_sealed_too() -> None:
    assert seal({"note": "\ud800"}, SALT) != seal({"note": "\ud801"}, SALT)


def test_no_salt_comes_twice() -> None:
    salts = {new_salt() for _ in range(100)}
    assert len(salts) == 100
    assert all(len(salt) == 32 for salt in salts)
