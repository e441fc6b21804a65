"""The texts of records in the tables, compared with the digests that the log seals. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tandem.audit.checked import Checked
from tandem.audit.differences import At, Difference, Differs
from tandem.audit.logged_texts import LoggedTexts
from tandem.records import judged_text
from tandem.reviews.policy import Stage


class RecordTexts:
    """Compares the lines about texts, in the order of the records' numbers."""

    def __init__(self, made: Checked, logged: LoggedTexts) -> None:
        self._made, self._logged = made, logged
        made.texts_since = logged.since
        self._rolled: dict[str, str] = defaultdict(lambda: judged_text.NOTHING)
        self._n: dict[str, int] = defaultdict(int)
        self._last = 0

    def take(self, found: Mapping[str, Any]) -> None:
        """Compare the next records of an import.

        Raises:
            Differs: A text differs, or a record has two lines.
            KeyError, TypeError, ValueError: It is not a line about texts.
        """
        import_id, now = found["texts_of"], found["now"]
        for number, sealed in zip(found["numbers"], found["sealed"], strict=True):
            at = At(Stage.TITLE_ABSTRACT, str(number))
            if number <= self._last:
                raise Differs(
                    Difference("its text after that of a later one", "once, in order", at=at)
                )
            self._last = number
            due = self._logged.corrected.get(str(number), sealed)
            if due is not None and (text := now.get(str(number), sealed)) != due:
                says = f"a text with the digest {text}: title, abstract or another field is changed"
                raise Differs(Difference(says, f"what was sealed has {due}", at=at))
            if sealed is not None:
                rolled = self._rolled[import_id]
                self._rolled[import_id] = judged_text.roll(rolled, number, bytes.fromhex(sealed))
                self._n[import_id] += 1
            if sealed is None or import_id not in self._logged.imports:
                self._made.n_texts_open += 1
            else:
                self._made.n_texts += 1

    def end(self) -> None:
        """Check that each import has the records that were sealed at its end.

        Raises:
            Differs: An import has other, fewer or more records.
        """
        for import_id, (n, digest) in sorted(self._logged.imports.items()):
            if (self._n[import_id], self._rolled[import_id]) != (n, digest):
                says = f"{self._n[import_id]} records of import {import_id}, or other texts"
                follows = f"{n} records were sealed, with the digest {digest or 'of none'}"
                raise Differs(Difference(says, follows))
