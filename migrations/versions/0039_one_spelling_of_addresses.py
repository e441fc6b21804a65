"""E-mail addresses are stored in one spelling: an accent is a letter's, not a mark behind it.

Where another account has that spelling already, both stay as they are: to which one somebody signs
in is theirs to say, and an administrator gives the other another address.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_account = sa.table("user_account", sa.column("id", sa.Uuid()), sa.column("email", sa.Text()))
_invitation = sa.table("invitation", sa.column("id", sa.Uuid()), sa.column("email", sa.Text()))


def upgrade() -> None:
    connection = op.get_bind()
    taken = set(connection.scalars(sa.select(_account.c.email)))
    for table in (_account, _invitation):
        rows = connection.execute(sa.select(table.c.id, table.c.email)).all()
        for id, email in rows:
            composed = None if email is None else unicodedata.normalize("NFC", email)
            if composed == email or (table is _account and composed in taken):
                continue
            taken.add(composed)
            connection.execute(sa.update(table).where(table.c.id == id).values(email=composed))


def downgrade() -> None:
    """Leave them: the version before reads them, too."""
