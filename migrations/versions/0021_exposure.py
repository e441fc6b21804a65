"""Who was shown others' verdicts is stored when it ends, instead of replayed from the log.

What ended before is found once, from each review's log. Where that is not certain it is taken to
have been shown: records that were ever linked count as one, and a member as one all the time.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_STAGES = ("title_abstract", "full_text")
_SIGHTS = ("names_labels_seq", "settled_seq", "conflicts_seq")
_SETTLES = ("owner", "adjudicator")
_KINDS = (
    "review.created",
    "review.changed",
    "member.added",
    "member.removed",
    "duplicates.merged",
    "duplicates.split",
    "decision.recorded",
    "decision.withdrawn",
    "record.included",
    "record.excluded",
    "record.reopened",
    "conflict.opened",
    "conflict.reopened",
    "conflict.resolved",
    "resolution.changed",
)


def upgrade() -> None:
    op.create_table(
        "member_sight",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("names_labels_seq", sa.Integer(), nullable=True),
        sa.Column("settled_seq", sa.Integer(), nullable=True),
        sa.Column("conflicts_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("review_id", "stage", "user_id"),
    )
    op.create_table(
        "exposure",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"]),
        sa.PrimaryKeyConstraint("review_id", "stage", "record_number", "user_id"),
    )
    _fill()


def downgrade() -> None:
    op.drop_table("exposure")
    op.drop_table("member_sight")


def _fill() -> None:
    connection = op.get_bind()
    sight = sa.table("member_sight", *_keys(), *(sa.column(name) for name in _SIGHTS))
    exposure = sa.table("exposure", *_keys(), sa.column("record_number"))
    review = sa.table("review", sa.column("id", sa.Uuid()))
    record = sa.table("record", sa.column("review_id", sa.Uuid()), sa.column("number"))
    for review_id in connection.scalars(sa.select(review.c.id)).all():
        log = _Log(_resolvers(connection, review_id))
        for row in _events(connection, review_id):
            log.follow(*row)
        log.end()
        there = set(
            connection.scalars(sa.select(record.c.number).where(record.c.review_id == review_id))
        )
        for table, rows in (
            (sight, list(log.sights())),
            (exposure, [row for row in log.exposures() if row["record_number"] in there]),
        ):
            for start in range(0, len(rows), 1000):
                connection.execute(
                    sa.insert(table),
                    [{"review_id": review_id} | row for row in rows[start : start + 1000]],
                )


def _keys() -> list[sa.ColumnClause[Any]]:
    return [sa.column("review_id", sa.Uuid()), sa.column("stage"), sa.column("user_id", sa.Uuid())]


def _resolvers(connection: sa.Connection, review_id: UUID) -> dict[tuple[str, str], set[str]]:
    """Return who ever settled a conflict, by stage and record: old entries do not name them."""
    resolution = sa.table(
        "resolution",
        sa.column("review_id", sa.Uuid()),
        sa.column("stage"),
        sa.column("record_number"),
        sa.column("resolver_id", sa.Uuid()),
    )
    query = sa.select(
        resolution.c.stage, resolution.c.record_number, resolution.c.resolver_id
    ).where(resolution.c.review_id == review_id)
    found = defaultdict[tuple[str, str], set[str]](set)
    for stage, number, resolver_id in connection.execute(query):
        found[stage, str(number)].add(str(resolver_id))
    return found


def _events(
    connection: sa.Connection, review_id: UUID
) -> Iterator[tuple[int, str, dict[str, Any], dict[str, Any]]]:
    event = sa.table(
        "event",
        sa.column("review_id", sa.Uuid()),
        *(sa.column(name) for name in ("seq", "type", "data", "detail")),
    )
    query = (
        sa.select(event.c.seq, event.c.type, event.c.data, event.c.detail)
        .where(
            event.c.review_id == review_id, event.c.type.in_([f"tandem.{kind}" for kind in _KINDS])
        )
        .order_by(event.c.seq)
    )
    for seq, kind, data, detail in connection.execute(query):
        yield seq, kind.removeprefix("tandem."), _read(data), _read(detail)


def _read(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found


class _Record:
    """One record in a stage, as the log tells it."""

    def __init__(self) -> None:
        self.votes: set[str] = set()
        self.is_settled = False
        self.is_in_conflict = False


class _Log:
    """Follows one review's log, and keeps who saw what until it ended."""

    def __init__(self, resolvers: Mapping[tuple[str, str], set[str]]) -> None:
        self.resolvers = resolvers
        self.seq = self.labels_seq = 0
        self.roles: dict[str, str] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.records: defaultdict[tuple[str, str], _Record] = defaultdict(_Record)
        self.linked: dict[str, str] = {}
        self.seen: set[tuple[str, str, str]] = set()
        self.lost: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)

    def follow(self, seq: int, kind: str, data: dict[str, Any], detail: dict[str, Any]) -> None:
        what, _, how = kind.partition(".")
        if what in ("decision", "record", "conflict", "resolution"):
            self._change(data["stage"], data["record_id"], what, how, data, detail)
        elif what == "duplicates":
            for stage in _STAGES:
                for number in (data["record_id"], data["duplicate_id"]):
                    self._note(stage, number)
            self._link(data["record_id"], data["duplicate_id"])
        elif what == "member":
            self._set_role(data["user_id"], data.get("role"))
        else:
            self._set_policies(detail.get("policy", {}))
        self.seq = seq
        self.labels_seq = max(self.labels_seq, data.get("labels_seq", 0))

    def _change(
        self,
        stage: str,
        number: str,
        what: str,
        how: str,
        data: dict[str, Any],
        detail: dict[str, Any],
    ) -> None:
        record = self.records[stage, number]
        self._note(stage, number)
        if what == "decision":
            (record.votes.add if how == "recorded" else record.votes.discard)(data["reviewer_id"])
        elif what == "record":
            record.is_settled = how != "reopened"
        elif what == "conflict":
            record.is_in_conflict = how != "resolved"
        if resolution := detail.get("resolution"):
            self.labels_seq = max(self.labels_seq, resolution["labels_seq"])
        elif data.get("by") == "resolution":  # from before there was a trail: its next number
            self.labels_seq += 1

    def _note(self, stage: str, number: str) -> None:
        """Keep to whom others' verdicts on a record are open now: this may end it."""
        record, policy = self.records[stage, number], self.policies.get(stage)
        if policy is None:
            return
        to_voters = policy.get("resolution") == "consensus" or policy.get("voter_may_adjudicate")
        if not (record.is_settled or (record.is_in_conflict and to_voters)):
            return
        said = record.votes | self.resolvers.get((stage, number), set())
        for voter in record.votes:
            if said - {voter}:
                self.seen.add((stage, self._first(number), voter))

    def _link(self, one: str, other: str) -> None:
        first, second = self._first(one), self._first(other)
        if first != second:
            self.linked[second] = first

    def _first(self, number: str) -> str:
        """Return the record that those stand for which were ever linked with this one."""
        while number in self.linked:
            number = self.linked[number]
        return number

    def _set_role(self, user: str, role: str | None) -> None:
        before = self.roles.get(user)
        if role is None:
            self.roles.pop(user, None)
            for (stage, number), record in list(self.records.items()):
                if user in record.votes:
                    self._note(stage, number)
        else:
            self.roles[user] = role
        for stage, policy in self.policies.items():
            self._lose(stage, user, _sight(before, policy), _sight(role, policy))

    def _set_policies(self, changed: dict[str, dict[str, Any]]) -> None:
        for stage, policy in changed.items():
            before = self.policies.get(stage)
            if before is not None:
                for of_stage, number in list(self.records):
                    if of_stage == stage:
                        self._note(stage, number)
                for user, role in self.roles.items():
                    self._lose(stage, user, _sight(role, before), _sight(role, policy))
            self.policies[stage] = policy

    def _lose(self, stage: str, user: str, had: set[str], has: set[str]) -> None:
        for what in had - has:
            seq = self.labels_seq if what == "names_labels_seq" else self.seq
            self.lost[stage, user][what] = seq

    def end(self) -> None:
        """Keep what is open to people who are no members now."""
        for (stage, number), record in list(self.records.items()):
            if record.votes - self.roles.keys():
                self._note(stage, number)

    def sights(self) -> Iterator[dict[str, Any]]:
        for (stage, user), lost in self.lost.items():
            row = {"stage": stage, "user_id": UUID(user)}
            yield row | {name: lost.get(name) for name in _SIGHTS}

    def exposures(self) -> Iterator[dict[str, Any]]:
        groups = defaultdict[str, set[str]](set)
        for number in {number for _, number in self.records} | set(self.linked):
            groups[self._first(number)].add(number)
        found = {
            (stage, number, voter)
            for stage, first, voter in self.seen
            for number in groups[self._first(first)] | {first}
        }
        for stage, number, voter in sorted(found):
            yield {"stage": stage, "record_number": int(number), "user_id": UUID(voter)}


def _sight(role: str | None, policy: dict[str, Any]) -> set[str]:
    """Return what a role and a policy show without a vote, by the column that keeps its loss."""
    if role is None:
        return set()
    settles, is_open = role in _SETTLES, not policy["blind"]
    sees = policy.get("adjudicator_sees", "all")
    found = set[str]()
    if is_open or (settles and sees == "all"):
        found.add("names_labels_seq")
    if is_open or settles:
        found.add("settled_seq")
    if is_open or (settles and sees != "nothing"):
        found.add("conflicts_seq")
    return found
