"""The files of full texts as they are stored, compared with what the log seals of them. Pure."""

from collections.abc import Mapping
from typing import Any

from tandem.audit.checked import Checked
from tandem.audit.differences import At, Difference, Differs
from tandem.audit.told_files import ToldFiles
from tandem.reviews.policy import Stage

_SINCE = 4
"""Version of the trail from which on it has lines about files."""


class ReportFiles:
    """Takes the lines about files of full texts, in any order."""

    def __init__(self, made: Checked, told: ToldFiles) -> None:
        self._made, self._told = made, told
        self._seen: set[str] = set()

    def take(self, found: Mapping[str, Any]) -> None:
        """Compare the next file.

        Raises:
            Differs: It is another one than was added, is changed, gone, or has two lines.
            KeyError, TypeError: It is no such line.
        """
        id, at = found["file"], At(Stage.FULL_TEXT, found["record"])
        told = self._told.by_id.get(id)
        if told is None or id in self._seen:
            raise Differs(Difference(f"text {id}", "the log has no such text, or one line", at=at))
        self._seen.add(id)
        if (told.record, told.kind) != (found["record"], found["kind"]):
            says = f"that text {id} is the {found['kind']} of record {found['record']}"
            follows = f"it was added as the {told.kind} of record {told.record}"
            raise Differs(Difference(says, follows, at=at))
        if told.sha256 is None:
            return  # its entry is sealed: nothing to compare with
        for name, what in (("sha256", "the file"), ("stored", "the stored file")):
            if name in found and found[name] != told.sha256:
                says = f"{what} of text {id} with the digest {found[name]}"
                raise Differs(Difference(says, f"the one that was added has {told.sha256}", at=at))
        if found["plain_sha256"] != told.plain_sha256:
            says = f"what text {id} says with the digest {found['plain_sha256']}"
            raise Differs(Difference(says, f"what was read has {told.plain_sha256}", at=at))
        self._made.n_files += 1

    def end(self) -> None:
        """Check that no file is missing.

        Raises:
            Differs: One is.
        """
        if self._made.version < _SINCE:
            return
        for id, told in self._told.by_id.items():
            if id not in self._seen:
                at = At(Stage.FULL_TEXT, told.record)
                raise Differs(Difference(f"nothing of text {id}", "it was added", at=at))
