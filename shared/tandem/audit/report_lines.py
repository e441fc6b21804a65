"""Lines about reports, for the audit trail: each retrieval, and the standing of each report."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tandem.audit.checked import Checked
from tandem.audit.differences import Difference, Differs
from tandem.audit.logged_reports import LoggedReports, at_full_text
from tandem.audit.state import State
from tandem.ids import ReviewId
from tandem.reports.facts import load_facts
from tandem.reports.rules import Standing, reason, standing
from tandem.reviews import service as reviews
from tandem.screening.full_text.models import Retrieval

Line = dict[str, Any]


def lines(session: Session, review_id: ReviewId) -> Iterator[Line]:
    """Yield a line for each entry about a retrieval, then one for each report that is sought."""
    entries = select(Retrieval).where(Retrieval.review_id == review_id)
    for row in session.scalars(entries.order_by(Retrieval.record_number, Retrieval.seq)):
        yield {
            "retrieval": str(row.record_number),
            "told_in": row.seq,
            "state": row.state,
            "via": row.via,
            "note": row.note,
            "by": str(row.by_id),
        }
    review = reviews.get_review(session, review_id)
    for number, facts in sorted(load_facts(session, review).items()):
        # Audits have lines of their own, with the studies that are sampled.
        facts = replace(facts, is_sampled=True)
        stands = standing(facts)
        if stands is Standing.NOT_SOUGHT:
            continue
        line = {"report": str(number), "standing": stands, "final_reason": reason(facts)}
        yield line | ({} if facts.not_screened is None else {"outside": True})


class ReportLines:
    """Compares these lines with the log; each must occur exactly once."""

    def __init__(self, made: Checked, state: State, logged: LoggedReports) -> None:
        self._made = made
        self._retrievals = dict(logged.retrievals)
        self._reports = logged.standings(state)

    def take(self, found: Mapping[str, Any]) -> None:
        """Compare the next line.

        Raises:
            Differs: The line contradicts the log.
        """
        if "retrieval" in found:
            self._retrieval(found)
        else:
            self._report(found)

    def _retrieval(self, found: Mapping[str, Any]) -> None:
        record = found["retrieval"]
        logged = self._retrievals.pop((record, found["told_in"]), None)
        at, says = at_full_text(record), f"that its retrieval was {found['state']}"
        if logged is None:
            raise Differs(Difference(says, "the log has no such entry", found["told_in"], at))
        given = (logged.state, logged.via, logged.note, logged.by)
        if (found["state"], found["via"], found["note"], found["by"]) != given:
            says = f"of its retrieval {found['state']}, {found['via']}, {found['note']!r}"
            follows = f"the log has {logged.state}, {logged.via}, {logged.note!r}, by {logged.by}"
            raise Differs(Difference(says, follows, found["told_in"], at))

    def _report(self, found: Mapping[str, Any]) -> None:
        record = found["report"]
        at, says = at_full_text(record), f"that it stands as {found['standing']}"
        logged = self._reports.pop(record, None)
        if found.get("outside"):  # its retrieval and its reason are not in the votes
            return
        if logged is None:
            raise Differs(Difference(says, "the log does not bring it to full text", at=at))
        stands, why = logged
        if found["standing"] != stands:
            raise Differs(Difference(says, f"the log makes it {stands}", at=at))
        if why != "" and found["final_reason"] != why:
            says = f"that it is excluded for {found['final_reason']!r}"
            raise Differs(Difference(says, f"{why!r} follows", at=at))
        self._made.n_reports += 1

    def end(self) -> None:
        """Check that no line is missing.

        Raises:
            Differs: The log has a retrieval or a report that had no line.
        """
        for record, seq in sorted(self._retrievals):
            at = at_full_text(record)
            raise Differs(Difference("nothing of its retrieval", "the log does", seq, at))
        for record, (stands, _) in sorted(self._reports.items()):
            follows = f"the log makes it {stands}"
            raise Differs(
                Difference("nothing of where it stands", follows, at=at_full_text(record))
            )
