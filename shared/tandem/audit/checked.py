"""What the check of a trail comes to. Pure."""

from dataclasses import asdict, dataclass
from typing import Any

from tandem.audit.differences import Difference
from tandem.errors import TandemError
from tandem.events import chain

VERSION = 6
"""Of the trail's form. Version 1 tells nothing of texts and of the times of decisions, version 2
nothing of what audits of recall have shown, version 3 nothing of the files of full texts, version
4 nothing of reports, version 5 nothing of the flow."""

READABLE = (1, 2, 3, 4, 5, VERSION)


class NotATrail(TandemError):
    """The file is something else, or a trail of a newer version."""

    code = "not_a_trail"


@dataclass(slots=True)
class Checked:
    """What was checked, and the first difference that was found, if there is one."""

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
    """Files of full texts that are, with what they say, as they were added."""
    n_boxes: int = 0
    """Boxes of the flow that count, and hold, what follows from the log."""
    n_sources_open: int = 0
    """Records of which the log does not tell where they came from, so their source is not
    compared: their import is not done, or the trail is an old one."""
    n_texts: int = 0
    """Records whose text is the one that was sealed."""
    n_texts_open: int = 0
    """Records whose text no entry seals: their import is not done, or the trail is an old one."""
    texts_since: int | None = None
    """The entry that sealed all texts and times there were, where the trail is older than that."""
    n_sealed: int = 0
    """Entries whose detail the file does not give. They are in the chain all the same."""
    n_underivable: int = 0
    """Statuses that were compared with what the log tells, but not derived from its votes."""
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
