"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_table(
        "access_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_access_token_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_access_token_secret_hash")),
    )
    with op.batch_alter_table("access_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "idempotent_request",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", JSON, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_idempotent_request_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotent_request")),
    )
    with op.batch_alter_table("idempotent_request", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_idempotent_request_created_at"), ["created_at"], unique=False
        )

    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("criteria_include", JSON, nullable=False),
        sa.Column("criteria_exclude", JSON, nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("last_open_seq", sa.Integer(), nullable=False),
        sa.Column("last_record_number", sa.Integer(), nullable=False),
        sa.Column("labels_seq", sa.Integer(), nullable=False),
        sa.Column("corpus_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_review_created_by_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_table(
        "sign_in",
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_sign_in_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_user_id"), ["user_id"], unique=False)

    op.create_table(
        "event",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("open_seq", sa.Integer(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_event_review_id_review"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("review_id", "seq", name=op.f("pk_event")),
        sa.UniqueConstraint("id", name=op.f("uq_event_id")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_event_review_id_subject_seq"),
            ["review_id", "subject", "seq"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_event_review_id_type_seq"), ["review_id", "type", "seq"], unique=False
        )
        batch_op.create_index("uq_event_review_id_open_seq", ["review_id", "open_seq"], unique=True)

    op.create_table(
        "import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("requested_format", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("artifact", sa.Text(), nullable=False),
        sa.Column("n_total", sa.Integer(), nullable=True),
        sa.Column("n_read", sa.Integer(), nullable=False),
        sa.Column("n_added", sa.Integer(), nullable=False),
        sa.Column("n_duplicates", sa.Integer(), nullable=False),
        sa.Column("n_rejected", sa.Integer(), nullable=False),
        sa.Column("rejected", JSON, nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_import_created_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_import_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
    )
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_import_review_id_created_at"), ["review_id", "created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_import_state"), ["state"], unique=False)

    op.create_table(
        "member",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_member_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_member_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "user_id", name=op.f("pk_member")),
    )
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_member_user_id"), ["user_id"], unique=False)

    op.create_table(
        "policy_version",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", JSON, nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["user_account.id"],
            name=op.f("fk_policy_version_created_by_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_policy_version_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "stage", "version", name=op.f("pk_policy_version")),
    )
    op.create_table(
        "ranking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("preset", JSON, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("labels_seq", sa.Integer(), nullable=False),
        sa.Column("corpus_seq", sa.Integer(), nullable=False),
        sa.Column("n_labels", sa.Integer(), nullable=False),
        sa.Column("n_relevant", sa.Integer(), nullable=False),
        sa.Column("n_ranked", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("numbers", sa.LargeBinary(), nullable=True),
        sa.Column("scores", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_ranking_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ranking")),
    )
    with op.batch_alter_table("ranking", schema=None) as batch_op:
        batch_op.create_index(
            "uq_ranking_review_id_stage_labels_seq",
            ["review_id", "stage", "labels_seq"],
            unique=True,
        )

    op.create_table(
        "training",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("trained_seq", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_training_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "stage", name=op.f("pk_training")),
    )
    op.create_table(
        "record",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("duplicate_of", sa.Integer(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("authors", JSON, nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("journal", sa.Text(), nullable=True),
        sa.Column("volume", sa.Text(), nullable=True),
        sa.Column("issue", sa.Text(), nullable=True),
        sa.Column("pages", sa.Text(), nullable=True),
        sa.Column("doi", sa.Text(), nullable=True),
        sa.Column("pmid", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("keywords", JSON, nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import.id"], name=op.f("fk_record_import_id_import")
        ),
        sa.ForeignKeyConstraint(
            ["review_id", "duplicate_of"],
            ["record.review_id", "record.number"],
            name=op.f("fk_record_review_id_duplicate_of_record"),
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["review.id"],
            name=op.f("fk_record_review_id_review"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "number", name=op.f("pk_record")),
    )
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_record_import_id"), ["import_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_record_review_id_doi"), ["review_id", "doi"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_record_review_id_duplicate_of"),
            ["review_id", "duplicate_of"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_record_review_id_pmid"), ["review_id", "pmid"], unique=False
        )

    op.create_table(
        "conflict",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_conflict_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict")),
    )
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_conflict_review_id_stage_state_opened_at"),
            ["review_id", "stage", "state", "opened_at"],
            unique=False,
        )
        batch_op.create_index(
            "uq_conflict_review_id_stage_record_number",
            ["review_id", "stage", "record_number"],
            unique=True,
        )

    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("labels_seq", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("labels", JSON, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("informed", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("ranking_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_decision_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["user_account.id"], name=op.f("fk_decision_reviewer_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_decision_review_id_reviewer_id_labels_seq"),
            ["review_id", "reviewer_id", "labels_seq"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_decision_review_id_stage_record_number_labels_seq"),
            ["review_id", "stage", "record_number", "labels_seq"],
            unique=False,
        )
        batch_op.create_index(
            "uq_decision_review_id_labels_seq", ["review_id", "labels_seq"], unique=True
        )

    op.create_table(
        "lease",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("ranking_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("put_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_lease_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_lease_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "review_id", "stage", "record_number", "user_id", name=op.f("pk_lease")
        ),
    )
    with op.batch_alter_table("lease", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_lease_review_id_stage_user_id"),
            ["review_id", "stage", "user_id"],
            unique=False,
        )

    op.create_table(
        "screened_record",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("n_decisions", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_screened_record_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "review_id", "stage", "record_number", name=op.f("pk_screened_record")
        ),
    )
    with op.batch_alter_table("screened_record", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_screened_record_review_id_stage_status"),
            ["review_id", "stage", "status"],
            unique=False,
        )

    op.create_table(
        "present_decision",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_present_decision_decision_id_decision")
        ),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_present_decision_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "review_id", "stage", "record_number", "reviewer_id", name=op.f("pk_present_decision")
        ),
        sa.UniqueConstraint("decision_id", name=op.f("uq_present_decision_decision_id")),
    )
    with op.batch_alter_table("present_decision", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_present_decision_review_id_stage_reviewer_id"),
            ["review_id", "stage", "reviewer_id"],
            unique=False,
        )

    op.create_table(
        "resolution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conflict_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("record_number", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("labels_seq", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("cause", sa.String(length=20), nullable=True),
        sa.Column("resolver_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conflict_id"], ["conflict.id"], name=op.f("fk_resolution_conflict_id_conflict")
        ),
        sa.ForeignKeyConstraint(
            ["resolver_id"],
            ["user_account.id"],
            name=op.f("fk_resolution_resolver_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["review_id", "record_number"],
            ["record.review_id", "record.number"],
            name=op.f("fk_resolution_review_id_record_number_record"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolution")),
    )
    with op.batch_alter_table("resolution", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_resolution_review_id_stage_record_number"),
            ["review_id", "stage", "record_number"],
            unique=False,
        )
        batch_op.create_index("uq_resolution_conflict_id", ["conflict_id"], unique=True)


def downgrade() -> None:
    with op.batch_alter_table("resolution", schema=None) as batch_op:
        batch_op.drop_index("uq_resolution_conflict_id")
        batch_op.drop_index(batch_op.f("ix_resolution_review_id_stage_record_number"))

    op.drop_table("resolution")
    with op.batch_alter_table("present_decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_present_decision_review_id_stage_reviewer_id"))

    op.drop_table("present_decision")
    with op.batch_alter_table("screened_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_screened_record_review_id_stage_status"))

    op.drop_table("screened_record")
    with op.batch_alter_table("lease", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lease_review_id_stage_user_id"))

    op.drop_table("lease")
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_index("uq_decision_review_id_labels_seq")
        batch_op.drop_index(batch_op.f("ix_decision_review_id_stage_record_number_labels_seq"))
        batch_op.drop_index(batch_op.f("ix_decision_review_id_reviewer_id_labels_seq"))

    op.drop_table("decision")
    with op.batch_alter_table("conflict", schema=None) as batch_op:
        batch_op.drop_index("uq_conflict_review_id_stage_record_number")
        batch_op.drop_index(batch_op.f("ix_conflict_review_id_stage_state_opened_at"))

    op.drop_table("conflict")
    with op.batch_alter_table("record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_record_review_id_pmid"))
        batch_op.drop_index(batch_op.f("ix_record_review_id_duplicate_of"))
        batch_op.drop_index(batch_op.f("ix_record_review_id_doi"))
        batch_op.drop_index(batch_op.f("ix_record_import_id"))

    op.drop_table("record")
    op.drop_table("training")
    with op.batch_alter_table("ranking", schema=None) as batch_op:
        batch_op.drop_index("uq_ranking_review_id_stage_labels_seq")

    op.drop_table("ranking")
    op.drop_table("policy_version")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_member_user_id"))

    op.drop_table("member")
    with op.batch_alter_table("import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_state"))
        batch_op.drop_index(batch_op.f("ix_import_review_id_created_at"))

    op.drop_table("import")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("uq_event_review_id_open_seq")
        batch_op.drop_index(batch_op.f("ix_event_review_id_type_seq"))
        batch_op.drop_index(batch_op.f("ix_event_review_id_subject_seq"))

    op.drop_table("event")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_user_id"))

    op.drop_table("sign_in")
    op.drop_table("review")
    with op.batch_alter_table("idempotent_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotent_request_created_at"))

    op.drop_table("idempotent_request")
    with op.batch_alter_table("access_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_token_user_id"))

    op.drop_table("access_token")
    op.drop_table("user_account")
