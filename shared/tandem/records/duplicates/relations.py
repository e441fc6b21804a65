"""Records about one work that are not one record: notices, protocols, earlier editions."""

from enum import StrEnum

from rapidfuzz import fuzz

from tandem.records.duplicates.comparison import Comparison, Features, Kinds
from tandem.records.duplicates.title_relation import SAME_TITLE, TitleRelation
from tandem.records.duplicates.titles import LONG_TITLE
from tandem.records.formats.entry import Kind


class Relation(StrEnum):
    """What the one is to the other's work."""

    ERRATUM = "erratum"
    RETRACTION = "retraction"
    PREPRINT = "preprint"
    PROTOCOL = "protocol"
    CONFERENCE = "conference"
    REGISTRATION = "registration"
    """One is the record that a trial registry has of the trial."""


_BY_KIND = {Kind.ERRATUM: Relation.ERRATUM, Kind.RETRACTION: Relation.RETRACTION}
_EDITIONS = {
    Kind.PREPRINT: Relation.PREPRINT,
    Kind.CONFERENCE: Relation.CONFERENCE,
    Kind.TRIAL: Relation.REGISTRATION,
}
_LIKE = (TitleRelation.EQUAL, TitleRelation.MISSPELT, TitleRelation.ALIKE, TitleRelation.REWORDED)


def relation_of(a: Features, b: Features, pair: Comparison) -> Relation | None:
    """Return how two records hang together that are not one; the order does not matter.

    Titles too short to tell, and first authors who differ, say nothing of any relation.
    """
    if _is_registered_as(a, b) or _is_registered_as(b, a):
        return Relation.REGISTRATION
    if pair.author is False or min(len(a.title.core), len(b.title.core)) < LONG_TITLE:
        return None
    if pair.kinds is Kinds.EDITIONS:
        kinds = {a.kind, b.kind}
        like = pair.author and pair.titles in _LIKE
        return next((r for kind, r in _EDITIONS.items() if kind in kinds), None) if like else None
    notices = (_notice(a), _notice(b))
    if notices[0] == notices[1]:
        return None
    same = fuzz.ratio(a.title.core, b.title.core) >= SAME_TITLE
    return (notices[0] or notices[1]) if same else None


def _is_registered_as(record: Features, other: Features) -> bool:
    """Whether `other` is a trial registry's record, and `record`, no such one, has its number."""
    if not record.registry_ids or record.kind is Kind.TRIAL:
        return False
    return other.own_number in record.registry_ids


def _notice(record: Features) -> Relation | None:
    if record.kind in _BY_KIND:
        return _BY_KIND[record.kind]
    return Relation(record.title.notice) if record.title.notice else None
