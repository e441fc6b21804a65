"""A review of any size for benchmarks of requests, written by the product's own code."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import insert, select

from installation import Account, Installation
from load_clients import N_LABELLED_APART, Client
from tandem.db.base import now
from tandem.ids import ImportId, RecordNumber, ReviewId, UserId, new_id
from tandem.ranking.models import Ranking
from tandem.records.models import Import, ImportState, Record
from tandem.reviews import service as reviews
from tandem.reviews.models import Role
from tandem.reviews.policy import Stage
from tandem.screening.ledger.append import Change, append_all
from tandem.screening.ledger.entries import DecisionInput, NewDecision
from tandem.screening.ledger.of_stage import load_many
from tandem.screening.ledger.state import RecordKey, RecordState
from tandem.screening.models import ResolvedBy
from tandem.screening.rules import Verdict

_PIECE = 1000
_PATIENCE_SECONDS = 480.0
_WORDS = 150
_VOCABULARY = 30_000


@dataclass
class Filled:
    """A review with records, its owner, and reviewers."""

    review_id: ReviewId
    n_records: int
    owner: Account
    reviewers: list[Account]
    n_decided: int = 0
    clients: dict[int | None, Client] = field(default_factory=dict)

    def client(self, here: Installation, number: int | None) -> Client:
        """Return a reviewer's client, None for the owner's; it goes on where it was."""
        if number not in self.clients:
            account = self.owner if number is None else self.reviewers[number]
            n_pairs = len(self.reviewers) // 2
            own = range(1 + (number or 0) // 2 % n_pairs, self.n_records + 1, n_pairs)
            self.clients[number] = Client(here.url, account.token, str(self.review_id), own)
        return self.clients[number]


def fill(
    here: Installation,
    *,
    n_reviewers: int,
    n_records: int,
    fields: Callable[[RecordNumber], Mapping[str, object]] | None = None,
) -> Filled:
    """Make a review with so many records, and reviewers with tokens.

    `fields` is asked for what each record has, in the order of numbers; by default it is made-up
    words.
    """
    owner = here.add_account("owner")
    people = [here.add_account(f"reviewer{i}") for i in range(n_reviewers)]
    return add_review(here, owner, people, n_records=n_records, fields=fields or words_of)


def add_review(
    here: Installation,
    owner: Account,
    people: list[Account],
    *,
    n_records: int,
    fields: Callable[[RecordNumber], Mapping[str, object]],
) -> Filled:
    """Make a review of people who have accounts; see `fill`."""
    database = here.open_database()
    try:
        with database.write.begin() as session:
            review = reviews.create_review(session, owner_id=UserId(owner.id), title="Load")
            for person in people:
                reviews.set_member(session, review, user_id=UserId(person.id), role=Role.REVIEWER)
            review_id, file = review.id, ImportId(new_id())
            session.add(_import(review_id, file, UserId(owner.id), n_records))
            session.flush()
            for first in range(1, n_records + 1, _PIECE):
                last = min(n_records, first + _PIECE - 1)
                rows = [
                    {**_RECORD, **fields(RecordNumber(number)), "number": number}
                    | {"review_id": review_id, "import_id": file, "created_at": now()}
                    for number in range(first, last + 1)
                ]
                session.execute(insert(Record), rows)
            review.last_record_number = n_records
            review.labels_seq, review.corpus_seq = 1, 1
    finally:
        database.close()
    return Filled(review_id, n_records, owner, people)


def decide_many(here: Installation, filled: Filled, n: int) -> None:
    """Have the first two reviewers decide until there are so many decisions in all."""
    database = here.open_database()
    stage = Stage.TITLE_ABSTRACT
    try:
        while filled.n_decided < n:
            numbers = range(filled.n_decided // 2 + 1, filled.n_decided // 2 + _PIECE // 2 + 1)
            for account in filled.reviewers[:2]:
                with database.write.begin() as session:
                    review, viewer = reviews.enter(
                        session, review_id=filled.review_id, user_id=UserId(account.id)
                    )
                    some = [RecordNumber(number) for number in numbers]
                    found = {
                        state.key.record_number: state
                        for state in load_many(session, filled.review_id, stage, some)
                    }
                    changes = [
                        Change(
                            found.get(number) or _undecided(filled.review_id, number),
                            [_vote(UserId(account.id), number)],
                        )
                        for number in some
                    ]
                    policy = viewer.policies[stage]
                    because = ResolvedBy.AGREEMENT
                    append_all(session, review, policy, changes, because=because)
            filled.n_decided += _PIECE
    finally:
        database.close()


def ranked(here: Installation, filled: Filled, n_rankings: int) -> float:
    """Wait for so many rankings; return the seconds that the newest took."""
    database, give_up_at = here.open_database(), time.monotonic() + _PATIENCE_SECONDS
    query = select(Ranking.seconds).where(Ranking.review_id == filled.review_id)
    try:
        while True:
            with database.read() as session:
                made = session.scalars(query.order_by(Ranking.labels_seq.desc())).all()
            if len(made) >= n_rankings:
                return made[0]
            if time.monotonic() > give_up_at:
                raise TimeoutError("no ranking came")
            time.sleep(0.5)
    finally:
        database.close()


def _undecided(review_id: ReviewId, number: RecordNumber) -> RecordState:
    return RecordState.of(RecordKey(review_id, Stage.TITLE_ABSTRACT, number), {}, None, None, None)


def _vote(who: UserId, number: int) -> NewDecision:
    included = number % N_LABELLED_APART == 0
    return NewDecision(who, DecisionInput(Verdict.INCLUDE if included else Verdict.EXCLUDE), False)


def _import(review_id: ReviewId, file: ImportId, owner: UserId, n: int) -> Import:
    return Import(
        id=file,
        review_id=review_id,
        created_by=owner,
        created_at=now(),
        finished_at=now(),
        state=ImportState.DONE,
        filename="load.ris",
        artifact="none",
        n_read=n,
        n_added=n,
        n_duplicates=0,
        n_rejected=0,
        rejected=[],
        fence=0,
    )


_RECORD = {"keywords": [], "registry_ids": [], "priors": [], "raw": ""}


def words_of(number: RecordNumber) -> dict[str, object]:
    title, abstract = made_up(number)
    return {
        "title": title,
        "abstract": abstract,
        "authors": [f"{_word(number * 7919 % 9000).title()}, A."],
        "year": 1990 + number % 35,
    }


def made_up(number: int) -> tuple[str, str]:
    """Return a title and an abstract; every tenth has the word "sleep"."""
    dice = random.Random(number)
    # A few words are common and most are rare, as in a language.
    said = [_word(int(_VOCABULARY * dice.random() ** 4)) for _ in range(_WORDS)]
    if number % 10 == 0:
        said[_WORDS // 2] = "sleep"
    return " ".join(said[:12]), " ".join(said[12:])


_SYLLABLES = ["ka", "lo", "mi", "ren", "tos", "va", "pel", "dro", "si", "um", "ga", "het", "nor"]


def _word(number: int) -> str:
    found = ""
    number += 1
    while number:
        number, place = divmod(number, len(_SYLLABLES))
        found += _SYLLABLES[place]
    return found
