"""Installations without processes, filled, copied and dropped, for tests of backups."""

import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.engine import make_url

from engines import PostgresServer
from tandem import migrate
from tandem.artifacts import Artifacts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.records import imports
from world import World

FILE = b"TY  - JOUR\nTI  - A title\nER  - \n"


@dataclass
class Site:
    """An installation without processes."""

    settings: Settings

    @property
    def url(self) -> str:
        return self.settings.resolved_database_url()

    @property
    def store(self) -> Artifacts:
        return Artifacts(self.settings.resolved_artifact_url())

    def become(self, other: "Site", server: PostgresServer | None) -> None:
        """Copy an installation that nobody is connected to."""
        if server is None:
            shutil.copytree(other.settings.data_dir, self.settings.data_dir, dirs_exist_ok=True)
            return
        name, template = (make_url(site.url).database or "" for site in (self, other))
        server.drop(name)
        server.create(name, template)
        there = other.settings.data_dir / "artifacts"
        shutil.copytree(there, self.settings.data_dir / "artifacts", dirs_exist_ok=True)

    def fill(self) -> None:
        """A review with conflicts, corrections, a resolution, a merge and an uploaded file."""
        migrate.upgrade(self.url)
        database = Database(self.url)
        world = World(database)
        team = world.team(n_records=5)
        for number, ann, ben in ((1, "include", "exclude"), (2, "exclude", "exclude")):
            world.decide(team.review_id, team.ann, number, ann)
            world.decide(team.review_id, team.ben, number, ben)
        world.resolve(team.review_id, team.judge, 1, "include")
        world.decide(team.review_id, team.ann, 3, "maybe", note="Ünsicher ☂")
        world.withdraw(team.review_id, team.ann, 3)
        world.merge(team.review_id, team.owner, 4, 5)
        self.upload(world, team.review_id, team.owner.id)
        self.store.write(f"features/{team.review_id}/1-x/numbers.npy", io.BytesIO(b"features"))
        database.close()

    def upload(self, world: World, review_id: object, user_id: object) -> None:
        upload = imports.store_upload(self.store, review_id=review_id, file=io.BytesIO(FILE))  # type: ignore[arg-type]  # ids as they come
        with world.database.write.begin() as session:
            imports.accept(
                session,
                upload,
                review_id=review_id,  # type: ignore[arg-type]
                user_id=user_id,  # type: ignore[arg-type]
                filename="a.ris",
                source=None,
                searched=imports.Searched(),
                requested_format=None,
            )

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything that the database holds."""
        database = Database(self.url)
        try:
            with database.read() as session:
                from tandem.models import Base

                return {
                    name: sorted(
                        map(tuple, session.execute(text(f'SELECT * FROM "{name}"'))), key=str
                    )
                    for name in Base.metadata.tables
                }
        finally:
            database.close()


def installation(server: PostgresServer | None, folder: Path) -> Site:
    """An installation without a single table."""
    url = None if server is None else server.create(f"site_{uuid4().hex}")
    return Site(Settings(data_dir=folder, database_url=url))


def drop(server: PostgresServer | None, site: Site) -> None:
    if server is not None:
        server.drop(make_url(site.url).database or "")


def others(database: Database) -> World:
    """More people, beside those who are there already."""
    world = World(database)
    world.people(*(f"later-{uuid4().hex}" for _ in range(10)))
    return world


def set_schema(site: Site, revision: str) -> None:
    database = Database(site.url)
    with database.write.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    database.close()
