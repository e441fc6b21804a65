"""The stored files of full texts, compared with the digests that the log seals. Pure."""

from collections.abc import Mapping
from typing import Any

from tandem.audit.checked import Checked
from tandem.audit.differences import At, Difference, Differs
from tandem.audit.logged_files import LoggedFiles
from tandem.reviews.policy import Stage

_SINCE = 4
"""Version of the trail from which on it has lines about files."""


class ReportFiles:
    """Compares the lines about files of full texts, in any order."""

    def __init__(self, made: Checked, logged: LoggedFiles) -> None:
        self._made, self._logged = made, logged
        self._seen: set[str] = set()

    def take(self, found: Mapping[str, Any]) -> None:
        """Compare the next file.

        Raises:
            Differs: The file was replaced, changed or removed, or has two lines.
            KeyError, TypeError: It is not a line about a file.
        """
        id, at = found["file"], At(Stage.FULL_TEXT, found["record"])
        logged = self._logged.by_id.get(id)
        if logged is None or id in self._seen:
            raise Differs(Difference(f"text {id}", "the log has no such text, or one line", at=at))
        self._seen.add(id)
        if (logged.record, logged.kind) != (found["record"], found["kind"]):
            says = f"that text {id} is the {found['kind']} of record {found['record']}"
            follows = f"it was added as the {logged.kind} of record {logged.record}"
            raise Differs(Difference(says, follows, at=at))
        if logged.sha256 is None:
            return  # its entry is sealed: nothing to compare with
        for name, what in (("sha256", "the file"), ("stored", "the stored file")):
            if name in found and found[name] != logged.sha256:
                says = f"{what} of text {id} with the digest {found[name]}"
                raise Differs(
                    Difference(says, f"the one that was added has {logged.sha256}", at=at)
                )
        if found["plain_sha256"] != logged.plain_sha256:
            says = f"what text {id} says with the digest {found['plain_sha256']}"
            raise Differs(Difference(says, f"what was read has {logged.plain_sha256}", at=at))
        self._made.n_files += 1

    def end(self) -> None:
        """Check that no line is missing.

        Raises:
            Differs: One is.
        """
        if self._made.version < _SINCE:
            return
        for id, logged in self._logged.by_id.items():
            if id not in self._seen:
                at = At(Stage.FULL_TEXT, logged.record)
                raise Differs(Difference(f"nothing of text {id}", "it was added", at=at))
