"""A backup that is cut off, damaged or forged changes nothing."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from service.installation.backups.sites import Site
from tandem.db.session import Database
from tandem.installation.backup.archive import Damaged
from tandem.installation.backup.restoring import Restored, restore
from tandem.installation.backup.taking import back_up


@pytest.mark.parametrize("share", [0.5, 0.999])
def test_a_backup_that_was_cut_off_changes_nothing(
    here: Site, used: Site, file: Path, share: float
) -> None:
    before = used.rows()
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(Damaged):
        restore(used.settings, file, replace=True)

    assert used.rows() == before


def test_a_damaged_backup_changes_nothing(used: Site, file: Path) -> None:
    """Each member in turn has one other byte."""
    before = used.rows()
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        places = [(member.filename, member.header_offset) for member in archive.infolist()]
    for name, offset in places:
        damaged = bytearray(whole)
        damaged[offset + 30 + len(name) + 40] ^= 0xFF
        file.write_bytes(damaged)
        with pytest.raises(Damaged):
            restore(used.settings, file, replace=True)
    assert used.rows() == before


def test_a_manifest_that_lies_is_found(there: Site, file: Path, tmp_path: Path) -> None:
    lies: list[dict[str, Any]] = [
        {"files": []},
        {"name": "artifacts/../../escaped"},
        {"sha256": "0" * 64},
    ]
    for lie in lies:
        forged = tmp_path / "forged.zip"
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(forged, "w") as new:
            said = json.loads(old.read("manifest.json"))
            last = said["files"][-1]
            renamed = {last["name"]: lie.get("name", last["name"])}
            said |= {key: value for key, value in lie.items() if key == "files"}
            last |= {key: value for key, value in lie.items() if key != "files"}
            for name in old.namelist():
                content = json.dumps(said).encode() if name == "manifest.json" else old.read(name)
                new.writestr(str(renamed.get(name, name)), content)
        with pytest.raises(Damaged):
            restore(there.settings, forged, replace=True)
    assert not (tmp_path / "escaped").exists()


def test_a_review_whose_trail_does_not_hold_is_named(
    here: Site, there: Site, tmp_path: Path
) -> None:
    database = Database(here.url)
    with database.write.begin() as session:
        session.execute(
            text("UPDATE screened_record SET status = 'excluded' WHERE record_number = 1")
        )
    database.close()
    back_up(here.settings, tmp_path / "wrong.zip")

    restored: Restored = restore(there.settings, tmp_path / "wrong.zip")

    (review,) = restored.reviews
    assert not review.ok
    assert "record 1" in str(review.difference)
