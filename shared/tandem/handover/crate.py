"""An RO-Crate 1.2 of a review: the trail, and what was computed from it, described for machines.

All of it but the full texts is read at one moment, before the first byte is sent: decisions go on
meanwhile, and a flow of another moment than the trail's would not be proven by it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import tandem
from tandem.audit import trail
from tandem.db.reading import OneMoment
from tandem.handover import package
from tandem.handover.archive import Entry, Manifest
from tandem.handover.contents import Contents
from tandem.handover.markdown import markdown
from tandem.handover.methods import report
from tandem.handover.methods_facts import methods_facts
from tandem.handover.model import Handover
from tandem.records.export.writing import write_decisions, write_records, write_trail
from tandem.reporting import service as reporting
from tandem.reporting.boxes import Item
from tandem.reporting.service import ShownFlow
from tandem.reviews import service as reviews
from tandem.reviews.models import PolicyVersion, Role
from tandem.reviews.policy import Stage
from tandem.screening.export import Selection, exported_records
from tandem.screening.export_ledger import exported_entries
from tandem.stopping.models import Audit

METADATA = "ro-crate-metadata.json"
_VERSION = "https://w3id.org/ro/crate/1.2"

_DESCRIBED = {
    "trail.jsonl": ("The audit trail, which `tandem verify` checks.", "application/jsonl"),
    "decisions.csv": ("Every decision, with who and when.", "text/csv"),
    "records.jsonl": (
        "Every record with its screening, linked duplicates too.",
        "application/jsonl",
    ),
    "policies.json": ("The rules of both stages, version by version.", "application/json"),
    "flow.json": ("The PRISMA 2020 flow, each number with what it counts.", "application/json"),
    "methods.md": ("The report of the methods.", "text/markdown"),
    "certificates.json": ("The certificates of recall of each audit.", "application/json"),
    "included.ris": ("The included reports.", "application/x-research-info-systems"),
    "included.json": ("The included reports as CSL-JSON.", "application/json"),
    "studies.csv": ("The included studies.", "text/csv"),
    "excluded.csv": ("Reports excluded at full text, each with its reason.", "text/csv"),
}


_IN_MEMORY = 1 << 22
"""Bytes of a file that are kept in memory; the rest of it waits in a temporary file."""

_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Computed:
    """What is read at one moment, by the names of the files; `large` may be in temporary files."""

    files: Mapping[str, bytes]
    large: Mapping[str, IO[bytes]]


def computed(session: Session, handover: Handover, contents: Contents) -> Computed:
    """Return the files that are made from the database, as this session sees it.

    Raises:
        Forbidden: They are no owner: the trail is in it.
    """
    viewer = reviews.viewer(session, review_id=handover.review_id, user_id=contents.user_id)
    viewer.require(Role.OWNER, "export its audit trail")
    facts = methods_facts(session, viewer=viewer)
    audits = select(Audit).where(Audit.review_id == handover.review_id)
    certificates = [
        {"audit_id": str(one.id), "stage": one.stage, "certificates": one.certificates}
        for one in session.scalars(audits.order_by(Audit.registered_seq))
    ]
    files = {
        "policies.json": _json(_policies(session, handover)),
        "flow.json": _json(_flow(reporting.shown(session, viewer=viewer))),
        "methods.md": markdown(report(facts)).encode(),
    }
    if certificates:
        files["certificates.json"] = _json(certificates)
    return Computed(files, {name: _kept(parts) for name, parts in _large(session, contents)})


def _large(session: Session, contents: Contents) -> Iterator[tuple[str, Iterable[bytes]]]:
    moment, review_id, who = OneMoment(session), contents.review_id, contents.user_id
    lines = trail.lines(moment, review_id=review_id, user_id=who, artifacts=contents.artifacts)
    yield "trail.jsonl", write_trail(lines)
    ledger = exported_entries(moment, review_id=review_id, user_id=who, stage=None, status=None)
    yield "decisions.csv", write_decisions(ledger)
    everything = Selection(Stage.TITLE_ABSTRACT, None, True)
    records = exported_records(moment, review_id=review_id, user_id=who, selection=everything)
    yield "records.jsonl", write_records("jsonl", records)


def _kept(parts: Iterable[bytes]) -> IO[bytes]:
    """Store a file that is sent later; it is gone when it is closed."""
    kept = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # `entries` closes it
    for part in parts:
        kept.write(part)
    kept.seek(0)
    return kept


def _parts(kept: IO[bytes]) -> Iterator[bytes]:
    while piece := kept.read(_PIECE):
        yield piece


def entries(
    handover: Handover, contents: Contents, made: Computed, *, texts: bool
) -> Iterator[Entry]:
    """Yield the files of the crate; its description, with their digests, is the last.

    Those that are large are closed at the end, and where their reader breaks off.
    """
    with ExitStack() as kept:
        for file in made.large.values():
            kept.callback(file.close)
        manifest = Manifest()
        yield from manifest.counted(_files(handover, contents, made, texts=texts))
        yield Entry(METADATA, [_json(_metadata(handover, manifest.lines))])


def _files(
    handover: Handover, contents: Contents, made: Computed, *, texts: bool
) -> Iterator[Entry]:
    for name, kept in made.large.items():
        yield Entry(name, _parts(kept))
    for name, content in made.files.items():
        yield Entry(name, [content])
    yield from package.files(handover, contents, texts=texts)


def _policies(session: Session, handover: Handover) -> list[dict[str, Any]]:
    query = select(PolicyVersion).where(PolicyVersion.review_id == handover.review_id)
    return [
        {
            "stage": one.stage,
            "version": one.version,
            "since": one.created_at.isoformat(),
            "policy": one.value,
        }
        for one in session.scalars(query.order_by(PolicyVersion.stage, PolicyVersion.version))
    ]


def _flow(found: ShownFlow) -> dict[str, Any]:
    return {
        "as_of": found.as_of,
        "boxes": {
            box.key: {
                "label": box.label,
                "n": box.n,
                "items": [_item(item) for item in box.items],
                "parts": [
                    {"label": part.label, "n": part.n, "items": [_item(one) for one in part.items]}
                    for part in box.parts
                ],
            }
            for box in found.flow.boxes.values()
        },
        "invariants": [
            {"name": one.name, "left": one.left, "right": one.right, "holds": one.holds}
            for one in found.flow.invariants
        ],
    }


def _item(item: Item) -> dict[str, str]:
    if isinstance(item, int):
        return {"record_id": str(item)}
    return {"study_id": item.id} if item.id else {"record_id": str(item.report)}


def _metadata(handover: Handover, files: Sequence[tuple[str, int, str]]) -> dict[str, Any]:
    at = handover.at.isoformat()
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": handover.title or "Systematic review",
        "description": f"Screening of a systematic review in Tandem, as of event {handover.as_of}.",
        "datePublished": at,
        "license": {"@id": "#licence"},
        "hasPart": [{"@id": name} for name, _, _ in files],
        "author": [{"@id": f"#{person.id}"} for person in handover.people],
        "mentions": [{"@id": "#tandem"}],
    }
    return {
        "@context": f"{_VERSION}/context",
        "@graph": [
            {
                "@id": METADATA,
                "@type": "CreativeWork",
                "conformsTo": {"@id": _VERSION},
                "about": {"@id": "./"},
            },
            root,
            {
                "@id": "#licence",
                "@type": "CreativeWork",
                "name": "Not stated",
                "description": "The team adds: under what licence this is given.",
            },
            {
                "@id": "#tandem",
                "@type": "SoftwareApplication",
                "name": "Tandem",
                "version": tandem.__version__,
            },
            *(
                {"@id": f"#{person.id}", "@type": "Person", "name": person.name}
                for person in handover.people
            ),
            *(_file(*line) for line in files),
        ],
    }


def _file(name: str, n_bytes: int, sha256: str) -> dict[str, Any]:
    described, kind = _DESCRIBED.get(name, ("A full text.", None))
    made = {
        "@id": name,
        "@type": "File",
        "name": name,
        "description": described,
        "encodingFormat": kind,
        "contentSize": str(n_bytes),
        "sha256": sha256,
    }
    return {key: value for key, value in made.items() if value is not None}


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
