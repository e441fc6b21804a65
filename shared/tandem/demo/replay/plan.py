"""What happens in the replayed review: which record is sought, kept or excluded, and by whom. Pure.

Everything is drawn from one seed: the same plan gives the same review everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tandem.demo.chance import Dice
from tandem.demo.corpus import Corpus, Record

TITLE = "SYNTHETIC: Peer support workers in health (replay of a whole review)"
REASONS = (
    "wrong population",
    "unpaid volunteers",
    "not about illness or recovery",
    "no qualitative data",
    "no own data",
)
_SEED = 1528
_DIFFER = 0.04
"""Part of the records on which the two reviewers differ."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the review is. What is sought has the relevant records and `ongoing` in it."""

    relevant: int = 34
    ongoing: int = 1
    not_retrieved: int = 5
    excluded: int = 78
    other: int = 1410

    @property
    def sought(self) -> int:
        return self.relevant + self.ongoing + self.not_retrieved + self.excluded


@dataclass(frozen=True, slots=True)
class Plan:
    """Keys are the ids of the corpus, `D0001`.

    Attributes:
        corpus: The records that are imported.
        included: The reports that meet the criteria.
        ongoing: Eligible, and not finished.
        not_retrieved: Nobody gets their texts.
        excluded: At full text, with the reason.
        first: On which the first reviewer errs, by stage; `second` alike.
        doubtful: Whose files carry no sure sign: of the first, letters of its title are wrong;
            the second one shows the DOI of another report.
    """

    corpus: Corpus
    included: tuple[str, ...]
    ongoing: tuple[str, ...]
    not_retrieved: tuple[str, ...]
    excluded: Mapping[str, str]
    first: frozenset[tuple[str, str]]
    second: frozenset[tuple[str, str]]
    doubtful: tuple[str, str]

    @property
    def assessed(self) -> tuple[str, ...]:
        return (*self.included, *self.ongoing, *self.excluded)

    @property
    def sought(self) -> tuple[str, ...]:
        return (*self.assessed, *self.not_retrieved)

    @property
    def expected(self) -> dict[str, int]:
        """Return what the boxes of the flow have to say, by their keys."""
        n_found = sum(len(record.sources) for record in self.corpus.records)
        n_records, n_sought = len(self.corpus.records), len(self.sought)
        return {
            "database_results": n_found,
            "duplicates": n_found - n_records,
            "records_screened": n_records,
            "records_excluded": n_records - n_sought,
            "dbr_sought_reports": n_sought,
            "dbr_notretrieved_reports": len(self.not_retrieved),
            "dbr_assessed": len(self.assessed),
            "dbr_excluded": len(self.excluded),
            "ongoing": len(self.ongoing),
            "new_studies": len(self.included) - 1,
            "new_reports": len(self.included),
        }


def plan(whole: Corpus, size: Size) -> Plan:
    """Draw a review of this size from the synthetic records.

    All of a report's record must be in Tandem's reach by its DOI or its title, as most are.
    """
    dice = Dice(_SEED)
    relevant = [r for r in whole.records if r.relevant][: size.relevant]
    others = dice.shuffled([r for r in whole.records if not r.relevant])
    others.sort(key=lambda r: r.kinds != relevant[0].kinds)  # the likeliest to be sought
    chosen = others[: size.sought - size.relevant]
    rest = others[len(chosen) : len(chosen) + size.other]
    ids = [r.record_id for r in chosen]
    ongoing, ids = ids[: size.ongoing], ids[size.ongoing :]
    not_retrieved, ids = ids[: size.not_retrieved], ids[size.not_retrieved :]
    excluded = {one: dice.pick(REASONS) for one in ids}
    kept = {r.record_id for r in (*relevant, *chosen, *rest)}
    included = tuple(r.record_id for r in relevant)
    # The last ones of those included are left alone: of them are the companions and the doubt.
    errors = _errors(dice, [*included[:-3], *ongoing, *excluded], not_retrieved, rest)
    with_doi = [r.record_id for r in chosen if r.doi and r.record_id in excluded]
    return Plan(
        corpus=Corpus(
            tuple(r for r in whole.records if r.record_id in kept), whole.question, whole.criteria
        ),
        included=included,
        ongoing=tuple(ongoing),
        not_retrieved=tuple(not_retrieved),
        excluded=excluded,
        first=frozenset(errors[::2]),
        second=frozenset(errors[1::2]),
        doubtful=(included[-1], with_doi[0]),
    )


def _errors(
    dice: Dice, assessed: Sequence[str], not_retrieved: Sequence[str], rest: Sequence[Record]
) -> list[tuple[str, str]]:
    """Return on which records, and in which stages, one of the two reviewers errs."""
    titles = [*assessed, *not_retrieved, *(r.record_id for r in rest)]
    by_stage = {"title_abstract": titles, "full_text": [*assessed]}
    return [
        (stage, one)
        for stage, ids in by_stage.items()
        for one in dice.shuffled(ids)[: max(1, round(_DIFFER * len(ids)))]
    ]
