"""Write a migration for what the models have and the newest migration lacks.

`make migration M="Decisions keep who was informed"` compares the models with a new database, and
writes `migrations/versions/NNNN_decisions_keep_who_was_told.py`. Read it and complete it: see
"Add a table or a column" in CONTRIBUTING.md.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.config import Config

from tandem import migrate


def main(root: Path, message: str) -> None:
    if not message.strip():
        sys.exit('Say what the migration does: make migration M="Records have a language"')
    config = Config(toml_file=root / "pyproject.toml")
    config.set_main_option("script_location", str(root / "migrations"))
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/new.sqlite3"
        migrate.upgrade(url)
        _, newest = migrate.current_and_head(url)
        config.attributes["database_url"] = url
        command.revision(
            config, message.rstrip("."), autogenerate=True, rev_id=f"{int(newest) + 1:04}"
        )


if __name__ == "__main__":
    main(Path(__file__).parents[1], " ".join(sys.argv[1:]))
