"""The result of checking a trail. Pure."""

from dataclasses import asdict, dataclass
from typing import Any

from tandem.audit.differences import Difference
from tandem.errors import TandemError
from tandem.events import chain

VERSION = 9
"""Versions of the trail's form. Version 1 has no texts and no times of decisions, version 2 no
results of audits of recall, version 3 no files of full texts, version 4 no reports, version 5 no
flow. Up to version 6, later corrections do not count in what an audit keeps after a reframe; up to
version 7, records that come into the screening between its draws are in its frame; up to version 8,
the flow counts those that are outside of it as left unread."""

READABLE = (1, 2, 3, 4, 5, 6, 7, 8, VERSION)


class NotATrail(TandemError):
    """The file is not a trail, or is a trail of a newer version."""

    code = "not_a_trail"


@dataclass(slots=True)
class Checked:
    """What was checked, and the first difference, if there is one."""

    version: int = VERSION
    review: str = ""
    title: str = ""
    n_entries: int = 0
    n_decisions: int = 0
    n_statuses: int = 0
    n_conflicts: int = 0
    n_ledgers: int = 0
    """Records, in a stage each, whose entries were compared one by one, by their digest."""
    n_reports: int = 0
    """Records at full text whose standing and final reason were derived and compared."""
    n_figures: int = 0
    n_audits: int = 0
    """Audits of recall whose evidence was computed again, and is the same."""
    n_files: int = 0
    """Files of full texts whose bytes and text are as they were added."""
    n_boxes: int = 0
    """Boxes of the flow whose number and records follow from the log."""
    n_sources_open: int = 0
    """Records whose source is not compared, because the log does not hold it: their import is not
    finished, or the trail is old."""
    n_texts: int = 0
    """Records whose text equals the sealed text."""
    n_texts_open: int = 0
    """Records whose text no entry seals: their import is not finished, or the trail is old."""
    texts_since: int | None = None
    """In a trail that began before texts and times were sealed: the entry that sealed all of
    them."""
    n_sealed: int = 0
    """Entries whose detail the file leaves out. They are checked as part of the chain."""
    n_underivable: int = 0
    """Statuses that were compared with the log but could not be derived from votes."""
    last_hash: str = chain.START
    difference: Difference | None = None

    @property
    def ok(self) -> bool:
        return self.difference is None

    def as_json(self) -> dict[str, Any]:
        found = {name: value for name, value in asdict(self).items() if name != "difference"}
        first = None
        if (it := self.difference) is not None:
            at = {"record": it.at.record, "stage": it.at.stage} if it.at else {}
            first = {"seq": it.seq, "says": it.says, "follows": it.follows} | at
        return {"ok": self.ok} | found | {"first_difference": first}
