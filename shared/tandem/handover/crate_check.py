"""Whether an RO-Crate of a review holds: each file as it is described, the trail, and the flow."""

import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

from tandem.audit.checked import Checked, NotATrail
from tandem.audit.differences import Difference, Differs
from tandem.audit.verify import check
from tandem.handover.crate import METADATA

TRAIL, FLOW = "trail.jsonl", "flow.json"
_PIECE = 1 << 20


def check_crate(file: IO[bytes], *, expected_hash: str | None = None) -> Checked:
    """Check a crate, and stop at the first difference.

    Each file is compared with the SHA-256 that describes it; then the trail is checked as
    `audit.verify.check` does; then the numbers of `flow.json` are compared with the trail's.

    Raises:
        NotATrail: It is no crate of a review, or a damaged zip.
    """
    try:
        with ZipFile(file) as crate:
            return _checked(crate, expected_hash)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise NotATrail(f"This is no crate: the zip is damaged ({error}).") from None


def _checked(crate: ZipFile, expected_hash: str | None) -> Checked:
    if not {METADATA, TRAIL} <= set(crate.namelist()):
        raise NotATrail(f"This is no crate of a review: it has no {METADATA} or no {TRAIL}.")
    try:
        _files(crate)
    except Differs as found:
        return Checked(difference=found.difference)
    lines = _Lines(crate)
    checked = check(lines, expected_hash=expected_hash)
    if checked.ok and FLOW in crate.namelist():
        checked.difference = _of_flow(json.loads(crate.read(FLOW)), lines.flow)
    return checked


def _files(crate: ZipFile) -> None:
    try:
        graph = json.loads(crate.read(METADATA))["@graph"]
        told = {one["@id"]: one["sha256"] for one in graph if "sha256" in one}
    except (ValueError, KeyError, TypeError) as error:
        raise Differs(Difference(f"what cannot be read in {METADATA} ({error!r})", "")) from None
    there = [name for name in crate.namelist() if name != METADATA]
    if twice := next((name for name in there if there.count(name) > 1), None):
        raise Differs(Difference(f"{twice} twice", "a file is there once"))
    for name in sorted({*told, *there}):
        if name not in told:
            raise Differs(Difference(f"{name}", f"{METADATA} does not describe it"))
        if name not in there:
            raise Differs(Difference(f"nothing of {name}", f"{METADATA} describes it"))
        if (found := _sha256(crate, name)) != told[name]:
            says = f"{name} with SHA-256 {found}"
            raise Differs(Difference(says, f"{METADATA} describes one with {told[name]}"))


def _sha256(crate: ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with crate.open(name) as file:
        while part := file.read(_PIECE):
            digest.update(part)
    return digest.hexdigest()


class _Lines:
    """The lines of the trail; keeps what they say of the flow."""

    def __init__(self, crate: ZipFile) -> None:
        self._crate = crate
        self.flow: dict[str, Any] | None = None

    def __iter__(self) -> Iterator[str]:
        with self._crate.open(TRAIL) as file:
            for line in io.TextIOWrapper(file, encoding="utf-8", newline="\n"):
                if line.startswith('{"flow":'):
                    self.flow = json.loads(line)["flow"]
                yield line


def _of_flow(said: dict[str, Any], trail: dict[str, Any] | None) -> Difference | None:
    """Return where `flow.json` differs from the flow that the trail proves."""
    if trail is None:
        return None
    for key, box in said["boxes"].items():
        due = trail.get(key, {})
        found = {"n": box["n"], "parts": {one["label"]: one["n"] for one in box["parts"]}}
        numbers = [item.get("record_id", "") for item in box["items"]]
        if all(numbers) and "studies" not in key:
            found["digest"] = hashlib.sha256("\n".join(numbers).encode()).hexdigest()
        for name, value in found.items():
            if due.get(name) != value:
                says = f"in {FLOW} that the {name} of the box {key} is {value}"
                return Difference(says, f"by the trail it is {due.get(name)}")
    if said["boxes"].keys() != trail.keys():
        return Difference(f"other boxes in {FLOW}", "the trail has others")
    return None
