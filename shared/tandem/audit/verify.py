"""Verification of an exported trail: its chain, what follows from it, and its tables."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tandem.audit.checked import READABLE, Checked, NotATrail
from tandem.audit.compared import Compared
from tandem.audit.differences import Difference, Differs
from tandem.audit.entries import Entry
from tandem.audit.logged_audits import LoggedAudits
from tandem.audit.logged_files import LoggedFiles
from tandem.audit.logged_flow import LoggedFlow
from tandem.audit.logged_ledger import LoggedLedger
from tandem.audit.logged_reports import LoggedReports
from tandem.audit.logged_texts import LoggedTexts
from tandem.audit.replay import Replay
from tandem.events import chain

_TELLS_OF_REPORTS = 5
"""The version of the trail from which on it has lines about reports."""


def check(lines: Iterable[str], *, expected_hash: str | None = None) -> Checked:
    """Follow a trail from its first to its last line; stop at the first difference.

    Args:
        lines: As `audit.trail` writes them.
        expected_hash: The hash of an entry of this review, noted earlier; the trail must contain
            it. Somebody who can write to the database can forge a whole chain, but not one with a
            hash that was noted elsewhere.

    Raises:
        NotATrail: The first line is not the header of a trail.
    """
    checking = _Checking(expected_hash)
    try:
        for number, line in enumerate(lines, start=1):
            checking.read(number, line)
        checking.end()
    except Differs as found:
        checking.made.difference = found.difference
    return checking.made


class _Checking:
    def __init__(self, expected_hash: str | None) -> None:
        self.made = Checked()
        self._expected = expected_hash
        self._header: Mapping[str, Any] | None = None
        self._replay = Replay()
        self._ledger = LoggedLedger()
        self._texts = LoggedTexts()
        self._audits = LoggedAudits()
        self._files = LoggedFiles()
        self._reports = LoggedReports()
        self._flow = LoggedFlow()
        self._compared: Compared | None = None
        """From the end of the log on."""

    def read(self, number: int, line: str) -> None:
        try:
            found = json.loads(line)
        except ValueError:
            if self._header is None:
                raise NotATrail("This is no audit trail: its first line is not JSON.") from None
            raise Differs(Difference(f"on line {number} what is not JSON", "a line is")) from None
        if self._header is None:
            self._begin(found)
            return
        try:
            self._take(found)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"something on line {number} that cannot be read ({error!r})"
            seq = found.get("seq") if isinstance(found, dict) else None
            raise Differs(Difference(what, "every line can be", seq)) from error

    def _begin(self, found: Any) -> None:
        if not isinstance(found, dict) or "trail" not in found:
            raise NotATrail("This is no audit trail: export one with format=trail.")
        if found["trail"] not in READABLE:
            known = ", ".join(str(version) for version in READABLE)
            raise NotATrail(
                f"This trail is of version {found['trail']}, and this program reads {known}."
            )
        self._header = found
        self.made.version = found["trail"]
        self.made.review, self.made.title = str(found["review"]), str(found["title"])

    def _take(self, found: Mapping[str, Any]) -> None:
        if "seq" in found:
            self._entry(Entry.of_json(found))
            return
        self._end_of_log()
        self._end_of_log().take(found)

    def _entry(self, entry: Entry) -> None:
        made, seq = self.made, entry.event.seq
        if self._compared is not None:
            raise Differs(Difference("an entry behind its tables", "the log is first", seq))
        due = made.n_entries + 1
        if seq != due:
            raise Differs(Difference(f"that entry {seq} comes next", f"{due} does", seq=due))
        if entry.detail is None:
            made.n_sealed += 1
        elif entry.salt is None or chain.seal(entry.detail, entry.salt) != entry.seal:
            raise Differs(Difference("a detail", "its seal is of another one", seq))
        if chain.link(made.last_hash, entry.event, entry.seal) != entry.hash:
            raise Differs(Difference(f"hash {entry.hash}", "its content has another one", seq))
        made.n_entries, made.last_hash = seq, entry.hash
        step = entry.step
        if entry.hash == self._expected:
            self._expected = None
        if entry.event.type.startswith("tandem.decision."):
            made.n_decisions += 1
            self._ledger.follow(step)
        self._reports.follow(step)
        self._texts.follow(step)
        self._audits.follow(step)
        self._files.follow(step)
        self._flow.follow(step)
        self._replay.follow(step)

    def _end_of_log(self) -> Compared:
        if self._compared is not None:
            return self._compared
        self._replay.end()
        header, made = self._header or {}, self.made
        logged = (header.get("last_seq"), header.get("last_hash"))
        if logged != (made.n_entries, made.last_hash):
            says = f"that the last entry is {logged[0]} with hash {logged[1]}"
            follows = f"it is {made.n_entries} with {made.last_hash}"
            raise Differs(Difference(says, follows, made.n_entries))
        if self._expected is not None:
            says = "nothing of the hash that was noted"
            follows = f"{self._expected} was that of an entry: the history was rewritten"
            raise Differs(Difference(says, follows))
        self._compared = Compared(
            made,
            self._replay.state,
            n_records=header.get("n_records") or 0,
            ledger=self._ledger,
            texts=self._texts,
            audits=self._audits,
            files=self._files,
            reports=self._reports if header["trail"] >= _TELLS_OF_REPORTS else None,
            flow=self._flow,
        )
        return self._compared

    def end(self) -> None:
        if self._header is None:
            raise NotATrail("This is no audit trail: the file is empty.")
        if self._compared is None or not self._compared.is_complete:
            raise Differs(Difference("no figures at its end", "it is not the whole file"))
