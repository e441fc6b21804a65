"""Whether an RO-Crate of a review holds: each file as it is described, the trail, and the flow."""

import hashlib
import io
import json
import lzma
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
    except UnicodeDecodeError:
        raise NotATrail(f"This is no crate of a review: its {TRAIL} is not UTF-8.") from None
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of a disk, not of the zip
        raise NotATrail(f"This is no crate: the zip is damaged ({error}).") from None


_DAMAGED = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)
"""What a zip raises that is damaged or has a password, by the ways to pack that it knows."""


def _checked(crate: ZipFile, expected_hash: str | None) -> Checked:
    if not {METADATA, TRAIL} <= set(crate.namelist()):
        raise NotATrail(f"This is no crate of a review: it has no {METADATA} or no {TRAIL}.")
    try:
        _files(crate)
    except Differs as found:
        return Checked(difference=found.difference)
    lines = _Lines(crate)
    checked = check(lines, expected_hash=expected_hash)
    if not checked.ok:
        return checked
    has_flow = checked.n_boxes > 0
    if FLOW in crate.namelist():
        checked.difference = _of_flow(crate.read(FLOW), lines.flow, has_flow=has_flow)
    elif has_flow:
        checked.difference = Difference(f"nothing of {FLOW}", f"{TRAIL} has the flow's numbers")
    return checked


def _files(crate: ZipFile) -> None:
    try:
        graph = json.loads(crate.read(METADATA))["@graph"]
        described = {str(one["@id"]): one["sha256"] for one in graph if "sha256" in one}
    except (ValueError, KeyError, TypeError) as error:
        raise Differs(Difference(f"what cannot be read in {METADATA} ({error!r})", "")) from None
    there = [name for name in crate.namelist() if name != METADATA]
    if twice := next((name for name in there if there.count(name) > 1), None):
        raise Differs(Difference(f"{twice} twice", "a file is there once"))
    for name in sorted({*described, *there}):
        if name not in described:
            raise Differs(Difference(f"{name}", f"{METADATA} does not describe it"))
        if name not in there:
            raise Differs(Difference(f"nothing of {name}", f"{METADATA} describes it"))
        if (found := _sha256(crate, name)) != described[name]:
            says = f"{name} with SHA-256 {found}"
            raise Differs(Difference(says, f"{METADATA} describes one with {described[name]}"))


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


def _of_flow(content: bytes, trail: dict[str, Any] | None, *, has_flow: bool) -> Difference | None:
    """Return where `flow.json` differs from the flow that the trail proves.

    Args:
        content: Of `flow.json`.
        trail: The boxes of the trail's line; None where it has none, or one that is written in
            another way than Tandem writes it.
        has_flow: Whether the trail has the flow's numbers: old ones do not.
    """
    if trail is None:
        says, follows = f"a line of the flow in {TRAIL} in another form", "it begins with the flow"
        return Difference(says, follows) if has_flow else None
    try:
        boxes = {
            key: {
                "n": box["n"],
                "parts": {one["label"]: one["n"] for one in box["parts"]},
                "digest": _digest(box["items"], of_studies="studies" in key),
            }
            for key, box in json.loads(content)["boxes"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Difference(f"what cannot be read in {FLOW} ({error!r})", "Tandem writes boxes")
    for key, found in boxes.items():
        due = trail.get(key, {})
        for name, value in found.items():
            if due.get(name) != value:
                says = f"in {FLOW} that the {name} of the box {key} is {value}"
                return Difference(says, f"by the trail it is {due.get(name)}")
    if boxes.keys() != trail.keys():
        return Difference(f"other boxes in {FLOW}", "the trail has others")
    return None


def _digest(items: list[dict[str, str]], *, of_studies: bool) -> str:
    """Return the digest of what a box counts, as the trail has it; see `audit.flow_lines`."""
    texts = [
        f"{item['study_id']}/0" if "study_id" in item else "/" * of_studies + item["record_id"]
        for item in items
    ]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
