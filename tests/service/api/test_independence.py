"""Two worlds that differ in nothing but how others voted look the same to the blinded.

Everything that a blinded person can ask for is asked for in both worlds, and the answers, headers
and lengths included, must be equal byte for byte. Three things are made equal beforehand: the
clock stands still; people have the same ids in both worlds, since each has a queue of their own;
all other ids, which are random, are numbered in the order in which they are first seen.

One policy is left out: with `single_include_advances` the first include takes a record out of
everybody's queue, which is what it is for.
"""

import base64
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count, product
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

import effort
from application import application
from service.api.scene import API, METHODS
from tandem.config import Settings
from tandem.db.session import Database
from tandem.records.export.names import ExportFormat
from tandem.reviews import service as reviews
from tandem.reviews import texts
from tandem.reviews.models import Role
from tandem_api.app import create_app
from world import Person, Team, World

R = f"{API}/reviews/{{r}}"
NOWHERE = "00000000-0000-4000-8000-000000000000"
STATUSES = (None, "unscreened", "awaiting", "conflict", "included", "excluded", "done")
TA = "title_abstract"

Said = dict[str, Any]
Asked = tuple[str, str, Any]
"""Method, path and JSON body of a request."""


def _records() -> Iterator[Asked]:
    for status, order in product(STATUSES, ("added", "rank", "year")):
        query = f"order={order}" + (f"&status={status}" if status else "")
        yield "GET", f"{R}/records?{query}", None
    for order in ("added", "rank", "year"):
        yield "GET", f"{R}/records?order={order}&limit=2", None
        yield "GET", f"{R}/records?order={order}&limit=2&status=done&cursor=MSxudWxs", None
    for verdict, order in product(("include", "exclude", "maybe"), ("added", "decided")):
        query = f"my_verdict={verdict}&order={order}&fields=brief&count=true"
        yield "GET", f"{R}/records?{query}", None
    for status in STATUSES[1:]:
        yield "GET", f"{R}/records?status={status}&order=decided&limit=1&count=true", None
    for query in ("q=title", "q=population", "source=Medline", "label=odd", f"stage={TA}"):
        yield "GET", f"{R}/records?{query}", None


def _exports() -> Iterator[Asked]:
    for format in get_args(ExportFormat):
        yield "GET", f"{R}/export?format={format}&include_duplicates=true", None
    for format, status in product(("jsonl", "decisions"), STATUSES[1:]):
        yield "GET", f"{R}/export?format={format}&status={status}", None


READS: dict[tuple[str, str], list[Asked]] = {
    ("GET", "/me"): [("GET", f"{API}/me", None)],
    ("GET", "/me/tokens"): [("GET", f"{API}/me/tokens", None)],
    ("GET", "/users"): [("GET", f"{API}/users", None)],
    ("GET", "/jobs"): [("GET", f"{API}/jobs", None)],
    ("GET", "/metrics"): [("GET", "/metrics", None)],
    ("GET", "/reviews"): [
        ("GET", f"{API}/reviews{query}", None) for query in ("", "?archived=true")
    ],
    ("GET", "/reviews/{review_id}"): [("GET", R, None)],
    ("GET", "/reviews/{review_id}/waiting"): [("GET", f"{R}/waiting", None)],
    ("GET", "/reviews/{review_id}/members"): [("GET", f"{R}/members", None)],
    ("GET", "/reviews/{review_id}/invitations"): [("GET", f"{R}/invitations", None)],
    ("GET", "/reviews/{review_id}/pilot"): [("GET", f"{R}/pilot", None)],
    ("GET", "/reviews/{review_id}/interests"): [
        ("GET", f"{R}/interests{query}", None) for query in ("", "?limit=1")
    ],
    ("GET", "/reviews/{review_id}/imports"): [("GET", f"{R}/imports", None)],
    ("GET", "/reviews/{review_id}/imports/{import_id}"): [("GET", f"{R}/imports/{{i}}", None)],
    ("GET", "/reviews/{review_id}/records"): list(_records()),
    ("GET", "/reviews/{review_id}/records/{record_id}"): [
        ("GET", f"{R}/records/{number}{query}", None)
        for number in range(1, 12)
        for query in ("", "?as_of=12", "?as_of=9999")
    ],
    ("GET", "/reviews/{review_id}/records/{record_id}/history"): [
        ("GET", f"{R}/records/{number}/history", None) for number in range(1, 12)
    ],
    ("GET", "/reviews/{review_id}/duplicates"): [
        ("GET", f"{R}/duplicates{query}", None)
        for query in ("", "?state=linked", "?state=proposed", "?state=kept", "?limit=1")
    ],
    ("GET", "/reviews/{review_id}/duplicates/{duplicate_id}"): [
        ("GET", f"{R}/duplicates/{{d}}", None)
    ],
    ("GET", "/reviews/{review_id}/conflicts"): [
        ("GET", f"{R}/conflicts{query}", None)
        for query in (
            *("", "?state=open", "?state=resolved", f"?stage={TA}", "?limit=1"),
            *("?kind=verdict", "?cause=scope", "?settled_by=agreement", "?mine=true"),
            *("?record_id=1", "?record_id=7", "?reviewer_id={u}", "?record_id=99"),
        )
    ],
    ("GET", "/reviews/{review_id}/conflicts/{conflict_id}"): [
        ("GET", f"{R}/conflicts/{NOWHERE}", None)
    ],
    ("GET", "/reviews/{review_id}/conflicts/{conflict_id}/messages"): [
        ("GET", f"{R}/conflicts/{NOWHERE}/messages", None)
    ],
    ("GET", "/reviews/{review_id}/disagreements"): [("GET", f"{R}/disagreements", None)],
    ("GET", "/reviews/{review_id}/progress"): [
        ("GET", f"{R}/progress{query}", None) for query in ("", "?as_of=12", "?as_of=9999")
    ],
    **{
        ("GET", f"/reviews/{{review_id}}/plots/{name}.svg"): [
            ("GET", f"{R}/plots/{name}.svg", None)
        ]
        for name in ("recall", "progress")
    },
    **{
        ("GET", f"/reviews/{{review_id}}/{path}"): [
            ("GET", f"{R}/{path}{query}", None)
            for query in ("", "?on=random", "?on=pilot", f"?stage={TA}")
        ]
        for path in ("agreement", "plots/agreement.svg", "second-looks")
    },
    # Of each of the team: their own is shown to them, the others' are not.
    ("GET", "/reviews/{review_id}/reviewers/{user_id}/record"): [
        ("GET", f"{R}/reviewers/{UUID(int=number)}/record", None) for number in range(1, 8)
    ],
    ("GET", "/reviews/{review_id}/rankings"): [("GET", f"{R}/rankings", None)],
    ("GET", "/reviews/{review_id}/criteria"): [
        ("GET", f"{R}/criteria{query}", None) for query in ("", "?limit=1")
    ],
    ("GET", "/reviews/{review_id}/criteria/affected"): [
        ("GET", f"{R}/criteria/affected{query}", None)
        for query in ("", "?since=1", "?since=2", "?limit=1", "?limit=1&cursor=LTEsNw==")
    ],
    ("GET", "/reviews/{review_id}/criteria/affected/reviewers"): [
        ("GET", f"{R}/criteria/affected/reviewers", None)
    ],
    ("GET", "/reviews/{review_id}/exclusion-reasons"): [("GET", f"{R}/exclusion-reasons", None)],
    ("GET", "/reviews/{review_id}/labels"): [
        ("GET", f"{R}/labels{query}", None) for query in ("", "?limit=1")
    ],
    ("GET", "/reviews/{review_id}/rankings/{ranking_id}"): [("GET", f"{R}/rankings/{{k}}", None)],
    ("GET", "/reviews/{review_id}/export"): list(_exports()),
    ("GET", "/reviews/{review_id}/events"): [
        ("GET", f"{R}/events{query}", None)
        for query in (
            *("?limit=500", "?limit=2", "?after=9", "?after=14&limit=3"),
            *("?after=999", "?after=latest"),
        )
    ],
}

TRIED: list[Asked] = [
    ("PUT", f"{R}/records/{number}/decision?dry_run=true", {"verdict": verdict})
    for number, verdict in product((1, 2, 3, 5, 7, 8, 99), ("include", "exclude"))
]

WRITES: dict[tuple[str, str], list[Asked]] = {
    ("POST", "/jobs/{job_id}/retry"): [("POST", f"{API}/jobs/ranking-{{r}}/retry", None)],
    ("POST", "/reviews/{review_id}/queue"): [
        ("POST", f"{R}/queue", {"limit": 2}),
        ("POST", f"{R}/queue", {"limit": 100}),
        ("POST", f"{R}/queue", {"limit": 3, "anew": True}),
    ],
    ("DELETE", "/reviews/{review_id}/queue/{record_id}"): [
        ("DELETE", f"{R}/queue/{number}", None) for number in (1, 5, 9)
    ],
    # Only where nobody voted differently: deciding is what opens the rest. To try it opens nothing.
    ("PUT", "/reviews/{review_id}/records/{record_id}/decision"): [
        *TRIED,
        ("PUT", f"{R}/records/9/decision", {"verdict": "include", "labels": ["odd"]}),
        ("PUT", f"{R}/records/8/decision", {"verdict": "exclude"}),
        ("PUT", f"{R}/records/99/decision", {"verdict": "exclude"}),
        ("PUT", f"{R}/records/9/decision", {"verdict": "exclude", "basis": None}),
        ("PUT", f"{R}/records/9/decision", {"verdict": "exclude", "basis": NOWHERE}),
    ],
    ("DELETE", "/reviews/{review_id}/records/{record_id}/decision"): [
        ("DELETE", f"{R}/records/{number}/decision{query}", None)
        for query in ("?dry_run=true", "")
        for number in (1, 5, 9)
    ],
    ("POST", "/reviews/{review_id}/records/{record_id}/decision/confirm"): [
        ("POST", f"{R}/records/{number}/decision/confirm", None) for number in (1, 7, 7, 8, 9)
    ],
    ("PATCH", "/reviews/{review_id}/records/{record_id}"): [
        ("PATCH", f"{R}/records/1", {"year": 1999})
    ],
    ("POST", "/reviews/{review_id}/decisions"): [
        ("POST", f"{R}/decisions", {"items": [{"record_id": "9", "verdict": "maybe"}, {}]}),
        ("POST", f"{R}/decisions", {"items": [{"record_id": "9", "verdict": None}] * 2}),
        ("POST", f"{R}/decisions", {"items": [{"record_id": "1", "verdict": None, "basis": None}]}),
    ],
    ("POST", "/reviews/{review_id}/imports/{import_id}/prior-decisions"): [
        ("POST", f"{R}/imports/{{i}}/prior-decisions", None)
    ],
    ("DELETE", "/reviews/{review_id}/imports/{import_id}"): [
        ("DELETE", f"{R}/imports/{{i}}", None)
    ],
    **{
        ("POST", f"/reviews/{{review_id}}/duplicates/{{duplicate_id}}/{act}"): [
            ("POST", f"{R}/duplicates/{{d}}/{act}", None)
        ]
        for act in ("merge", "keep", "split")
    },
    ("POST", "/reviews/{review_id}/conflicts/{conflict_id}/resolution"): [
        ("POST", f"{R}/conflicts/{NOWHERE}/resolution{query}", {"verdict": "include"})
        for query in ("", "?dry_run=true")
    ],
    ("POST", "/reviews/{review_id}/conflicts/{conflict_id}/reopen"): [
        ("POST", f"{R}/conflicts/{NOWHERE}/reopen{query}", None) for query in ("", "?dry_run=true")
    ],
    ("POST", "/reviews/{review_id}/conflicts/{conflict_id}/vote"): [
        ("POST", f"{R}/conflicts/{NOWHERE}/vote", {"verdict": "include"})
    ],
    ("POST", "/reviews/{review_id}/conflicts/{conflict_id}/messages"): [
        ("POST", f"{R}/conflicts/{NOWHERE}/messages", {"text": "Is anybody there?"})
    ],
    ("POST", "/reviews/{review_id}/rankings"): [("POST", f"{R}/rankings", None)],
    ("POST", "/reviews/{review_id}/second-looks"): [("POST", f"{R}/second-looks", None)],
    ("POST", "/reviews/{review_id}/imports"): [("POST", f"{R}/imports", None)],
    ("DELETE", "/reviews/{review_id}"): [("DELETE", R, {"title": "A review"})],
    **{
        ("POST", f"/reviews/{{review_id}}/{end}"): [("POST", f"{R}/{end}", None)]
        for end in ("archive", "unarchive")
    },
    ("PATCH", "/reviews/{review_id}"): [
        ("PATCH", f"{R}?dry_run=true", {"policy": {TA: {"blind": False}}})
    ],
    ("PUT", "/reviews/{review_id}/members/{user_id}"): [
        ("PUT", f"{R}/members/{{u}}", {"role": "owner"})
    ],
    ("PATCH", "/reviews/{review_id}/members/{user_id}"): [
        ("PATCH", f"{R}/members/{{u}}", {"paused": True})
    ],
    ("DELETE", "/reviews/{review_id}/members/{user_id}"): [
        ("DELETE", f"{R}/members/{{u}}{query}", None)
        for query in ("", "?decisions=void", "?decisions=void&dry_run=true")
    ],
    ("POST", "/reviews/{review_id}/invitations"): [
        ("POST", f"{R}/invitations", {"role": "reviewer"})
    ],
    ("DELETE", "/reviews/{review_id}/invitations/{invitation_id}"): [
        ("DELETE", f"{R}/invitations/{NOWHERE}", None)
    ],
    ("POST", "/reviews/{review_id}/pilot"): [("POST", f"{R}/pilot", {"size": 3})],
    ("POST", "/reviews/{review_id}/pilot/end"): [("POST", f"{R}/pilot/end", None)],
    ("PUT", "/reviews/{review_id}/records/{record_id}/interest"): [
        ("PUT", f"{R}/records/{number}/interest", {"has_interest": has_interest})
        for number, has_interest in ((1, True), (5, True), (5, False), (99, True), (9, False))
    ],
}

_AUDIT = f"{R}/audits/{NOWHERE}"
READS |= {
    ("GET", "/reviews/{review_id}/stopping"): [
        ("GET", f"{R}/stopping{query}", None) for query in ("", f"?stage={TA}")
    ],
    ("GET", "/reviews/{review_id}/plots/stopping.svg"): [("GET", f"{R}/plots/stopping.svg", None)],
    ("GET", "/reviews/{review_id}/audits"): [("GET", f"{R}/audits", None)],
    ("GET", "/reviews/{review_id}/audits/{audit_id}"): [("GET", _AUDIT, None)],
    **{
        ("GET", f"/reviews/{{review_id}}/audits/{{audit_id}}/{what}"): [
            ("GET", f"{_AUDIT}/{what}", None)
        ]
        for what in ("draws", "certificate", "certificate.md")
    },
}
WRITES |= {
    ("POST", "/reviews/{review_id}/audits"): [
        ("POST", f"{R}/audits{query}", {"stage": TA, "target_recall": 0.9, "confidence": 0.9})
        for query in ("", "?dry_run=true")
    ],
    ("PATCH", "/reviews/{review_id}/audits/{audit_id}"): [
        ("PATCH", _AUDIT, {"serving": "draws_only"})
    ],
    ("POST", "/reviews/{review_id}/audits/{audit_id}/reframe"): [
        ("POST", f"{_AUDIT}/reframe", None)
    ],
}

READS |= {
    ("GET", f"/reviews/{{review_id}}/prisma{ending}"): [
        ("GET", f"{R}/prisma{ending}{query}", None) for query in ("", "?wave=1", "?as_of=9")
    ]
    for ending in ("", ".json", ".svg", ".png", ".csv")
} | {
    ("GET", "/reviews/{review_id}/prisma/boxes/{key}"): [
        ("GET", f"{R}/prisma/boxes/{key}{query}", None)
        for key in ("records_screened", "records_excluded", "nothing")
        for query in ("", "?part=Medline")
    ]
}

READS |= {
    ("GET", "/reviews/{review_id}/handover"): [
        ("GET", f"{R}/handover?format={format}", None)
        # A crate holds the trail, whose salts and hashes are others in each world.
        for format in ("qdpx", "qdc", "zip")
    ],
    ("GET", "/reviews/{review_id}/methods-report"): [
        ("GET", f"{R}/methods-report?format={format}", None) for format in ("md", "html", "docx")
    ],
}

_PROJECT = f"{R}/synthesis/imports/{NOWHERE}"
READS |= {
    ("GET", "/reviews/{review_id}/synthesis/imports"): [("GET", f"{R}/synthesis/imports", None)],
    ("GET", "/reviews/{review_id}/synthesis/imports/{synthesis_import_id}"): [
        ("GET", _PROJECT, None)
    ],
    ("GET", "/reviews/{review_id}/synthesis/imports/{synthesis_import_id}/passages"): [
        ("GET", f"{_PROJECT}/passages", None)
    ],
    ("GET", "/reviews/{review_id}/synthesis/codes"): [("GET", f"{R}/synthesis/codes", None)],
    ("GET", "/reviews/{review_id}/synthesis/matrix"): [
        ("GET", f"{R}/synthesis/matrix?format={format}", None) for format in ("json", "csv")
    ],
    ("GET", "/reviews/{review_id}/synthesis/agreement"): [
        ("GET", f"{R}/synthesis/agreement", None)
    ],
}
WRITES |= {
    ("POST", "/reviews/{review_id}/synthesis/imports"): [("POST", f"{R}/synthesis/imports", None)],
    ("DELETE", "/reviews/{review_id}/synthesis/imports/{synthesis_import_id}"): [
        ("DELETE", _PROJECT, None)
    ],
    ("PATCH", "/reviews/{review_id}/synthesis/codes/{code_id}"): [
        ("PATCH", f"{R}/synthesis/codes/{NOWHERE}", {"kind": "theme"})
    ],
    ("PUT", "/reviews/{review_id}/synthesis/code-book"): [
        ("PUT", f"{R}/synthesis/code-book", None)
    ],
}

READS |= {("GET", "/reviews/{review_id}/waves"): [("GET", f"{R}/waves", None)]}
WRITES |= {
    ("PATCH", "/reviews/{review_id}/imports/{import_id}"): [
        ("PATCH", f"{R}/imports/{{i}}", {"found_by": "citation"})
    ],
    ("PUT", "/reviews/{review_id}/records/{record_id}/removal"): [
        ("PUT", f"{R}/records/{number}/removal", {"kind": "other", "reason": "No abstract"})
        for number in (1, 9, 99)
    ],
    ("DELETE", "/reviews/{review_id}/records/{record_id}/removal"): [
        ("DELETE", f"{R}/records/{number}/removal", None) for number in (1, 9, 99)
    ],
    ("POST", "/reviews/{review_id}/waves"): [
        ("POST", f"{R}/waves", {"label": "Again", "reason": "update"})
    ],
}

READS |= {
    ("GET", "/reviews/{review_id}/studies"): [
        # Proposals are made of the reports that one knows of: see _AT_FULL_TEXT.
        ("GET", f"{R}/studies{query}", None)
        for query in ("", "?limit=1")
    ],
    ("GET", "/reviews/{review_id}/reports/{report_id}/ratings"): [
        # Of none that is at full text in one world only: that tells, see `_AT_FULL_TEXT`.
        ("GET", f"{R}/reports/{number}/ratings", None)
        for number in (99,)  # of others: see _AT_FULL_TEXT
    ],
    ("GET", "/reviews/{review_id}/near-misses"): [
        ("GET", f"{R}/near-misses{query}", None) for query in ("", "?struck=true")
    ],
}
_STUDY = f"{R}/studies/{NOWHERE}"
WRITES |= {
    ("POST", "/reviews/{review_id}/studies"): [
        ("POST", f"{R}/studies{query}", {"reports": [number]})
        for query in ("?dry_run=true", "")
        for number in ("5", "9", "99")
    ],
    ("POST", "/reviews/{review_id}/separate-reports"): [
        ("POST", f"{R}/separate-reports", {"reports": numbers})
        for numbers in (["5", "9"], ["9", "99"])
    ],
    ("PATCH", "/reviews/{review_id}/studies/{study_id}"): [("PATCH", _STUDY, {"label": "A"})],
    ("DELETE", "/reviews/{review_id}/studies/{study_id}"): [("DELETE", _STUDY, None)],
    ("PUT", "/reviews/{review_id}/studies/{study_id}/sampling"): [
        ("PUT", f"{_STUDY}/sampling", {"sampled": False})
    ],
    **{
        (method, "/reviews/{review_id}/studies/{study_id}/reports/{report_id}"): [
            (method, f"{_STUDY}/reports/1", None)
        ]
        for method in ("PUT", "DELETE")
    },
    ("PUT", "/reviews/{review_id}/reports/{report_id}/ratings"): [
        ("PUT", f"{R}/reports/99/ratings", {"richness": 3})  # of others: see _AT_FULL_TEXT
    ],
    ("PUT", "/reviews/{review_id}/reports/{report_id}/near-miss"): [
        ("PUT", f"{R}/reports/1/near-miss", {"listed": True})
    ],
}

_HOOK = f"{R}/webhooks/{NOWHERE}"
# Only owners may: the deliveries of a webhook show conflicts.
READS |= {
    ("GET", "/reviews/{review_id}/webhooks"): [("GET", f"{R}/webhooks", None)],
    ("GET", "/reviews/{review_id}/webhooks/{webhook_id}"): [("GET", _HOOK, None)],
    ("GET", "/reviews/{review_id}/webhooks/{webhook_id}/deliveries"): [
        ("GET", f"{_HOOK}/deliveries", None)
    ],
}
WRITES |= {
    ("POST", "/reviews/{review_id}/webhooks"): [
        ("POST", f"{R}/webhooks", {"url": "https://9.9.9.9/hook"})
    ],
    ("PATCH", "/reviews/{review_id}/webhooks/{webhook_id}"): [("PATCH", _HOOK, {"enabled": True})],
    ("DELETE", "/reviews/{review_id}/webhooks/{webhook_id}"): [("DELETE", _HOOK, None)],
    **{
        ("POST", f"/reviews/{{review_id}}/webhooks/{{webhook_id}}/{act}"): [
            ("POST", f"{_HOOK}/{act}", None)
        ]
        for act in ("secret", "test")
    },
    ("POST", "/reviews/{review_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver"): [
        ("POST", f"{_HOOK}/deliveries/{NOWHERE}/redeliver", None)
    ],
}

_AT_FULL_TEXT = (
    "that a record is there tells that title and abstract include it, once it has all its "
    "decisions: test_worlds_at_full_text asks in two worlds that differ in nothing before"
)
EXEMPT = {
    ("GET", "/reviews/{review_id}/reports"): _AT_FULL_TEXT,
    ("GET", "/reviews/{review_id}/reports/{report_id}"): _AT_FULL_TEXT,
    ("POST", "/reviews/{review_id}/reports/{report_id}/retrieval"): _AT_FULL_TEXT,
    **dict.fromkeys(
        (
            ("GET", "/reviews/{review_id}/reports/{report_id}/texts"),
            ("POST", "/reviews/{review_id}/reports/{report_id}/texts"),
            ("GET", "/reviews/{review_id}/texts/{text_id}"),
            ("DELETE", "/reviews/{review_id}/texts/{text_id}"),
            ("GET", "/reviews/{review_id}/texts/{text_id}/file"),
            ("GET", "/reviews/{review_id}/texts/{text_id}/plain"),
            ("GET", "/reviews/{review_id}/texts/{text_id}/pages/{page}.png"),
            ("GET", "/reviews/{review_id}/texts/{text_id}/highlights"),
            ("POST", "/reviews/{review_id}/texts"),
            ("GET", "/reviews/{review_id}/text-batches"),
            ("GET", "/reviews/{review_id}/text-batches/{batch_id}"),
            ("POST", "/reviews/{review_id}/text-batches/{batch_id}/items/{position}"),
        ),
        "texts are open to all members, of reports alone: test_worlds_of_texts asks each of these "
        "whatever the others vote",
    ),
    ("GET", "/invitations/{token}"): "shows a title, a role and a name; its guest sees no votes",
    ("POST", "/invitations/{token}/acceptance"): "says who is in, in which role; sees no votes",
    ("POST", "/auth/login"): "no review is in it",
    ("POST", "/auth/logout"): "no review is in it",
    ("POST", "/me/tokens"): "no review is in it",
    ("DELETE", "/me/tokens/{token_id}"): "no review is in it",
    ("POST", "/users"): "no review is in it",
    ("DELETE", "/me/sessions"): "no review is in it",
    ("DELETE", "/me/sessions/{session_id}"): "no review is in it",
    ("GET", "/me/sessions"): "no review is in it",
    ("GET", "/me/sessions/{session_id}"): "no review is in it",
    ("GET", "/setup"): "no review is in it",
    ("PATCH", "/me"): "no review is in it",
    ("PATCH", "/users/{user_id}"): "no review is in it",
    ("POST", "/auth/reset"): "no review is in it",
    ("POST", "/setup"): "no review is in it",
    ("POST", "/users/{user_id}/reset"): "no review is in it",
    ("PUT", "/me/password"): "no review is in it",
    ("POST", "/reviews"): "another review is in it",
    ("GET", "/healthz"): "says nothing but that it answers",
    ("GET", "/readyz"): "counts reviews that wait for a ranking, for the whole installation; "
    "a review waits after any decision, whatever its verdict",
}


def test_every_route_is_covered() -> None:
    document = create_app(Settings()).openapi()["paths"]
    routes = {
        (method.upper(), path.removeprefix(API))
        for path, operations in document.items()
        for method in operations
        if method in METHODS
    }
    listed = READS.keys() | WRITES.keys() | EXEMPT.keys()

    missing = sorted(routes - listed)
    assert not missing, f"Ask for it in READS or WRITES, or say in EXEMPT why not: {missing}"
    assert not listed - routes


class StillClock(datetime):
    """A clock that moves only when a test moves it."""

    at = datetime(2027, 1, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # not a subclass
        return cls.at.astimezone(tz)


def stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock and what is free on the disk: both change by themselves in either world."""
    monkeypatch.setattr("tandem.db.base.datetime", StillClock)
    # Uses of tokens are noted some seconds later, perhaps between two requests of one world.
    monkeypatch.setattr("tandem_api.uses._TOGETHER_SECONDS", 86_400.0)
    usage = shutil.disk_usage(Path.cwd())
    monkeypatch.setattr("tandem.operations.storage.shutil.disk_usage", lambda _: usage)


def opened_client(settings: Settings) -> TestClient:
    """Return a client of an installation; random ids would change a compressed answer's length."""
    client = TestClient(application(settings), raise_server_exceptions=False)
    client.headers["Accept-Encoding"] = "identity"
    client.__enter__()
    return client


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_still(monkeypatch)


def same_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on accounts get the ids 1, 2, 3, …"""
    ids = count(1)
    monkeypatch.setattr("tandem.accounts.service.new_id", lambda: UUID(int=next(ids)))


@dataclass(frozen=True)
class Votes:
    """How Ben votes in a world: his verdicts on records 1, 2, … and what he says to them."""

    verdicts: tuple[str, ...]
    said: Said


AGREEING = Votes(("include",) * 6, {"note": None})
DIFFERING = Votes(
    ("exclude", "exclude", "maybe", "exclude", "exclude", "maybe"),
    {"note": "The population is wrong.", "reasons": ["population"], "labels": ["odd"]},
)


@dataclass(frozen=True)
class OneWorld:
    client: TestClient
    world: World
    team: Team
    names: dict[str, str]

    def ask(self, who: Person, asked: Asked) -> tuple[Asked, int, list[Any], str]:
        """Return the answer with everything that could tell one world from another."""
        method, path, body = asked
        url = path.format(**self.names)
        answer = self.client.request(
            method, url, json=body, headers=who.auth | {"X-Request-ID": "same"}
        )
        assert answer.status_code < 500
        headers = sorted(answer.headers.multi_items())
        return asked, answer.status_code, headers, answer.text


def build(folder: Path, template: Path, policy: Said, ben: Votes) -> OneWorld:
    """Zoe votes the same in both worlds, Ben does not; Ann decided 7 and 8, Eve nothing."""
    StillClock.at = datetime(2027, 1, 1, 12, tzinfo=UTC)
    folder.mkdir()
    shutil.copy(template, folder / "tandem.sqlite3")
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite:///{folder}/tandem.sqlite3",
        redis_url=f"unix://{folder}/nobody-listens.sock",
        artifact_url=str(folder / "artifacts"),
    )
    world = World(Database(settings.resolved_database_url()))
    said: Said = {"seed_studies": ["Title 1", "Title 9", "10.1000/a"], "exclude": ["population"]}
    team = world.team(n_records=11, policy=policy, **said)
    zoe = world.person("zoe")
    with world.database.write.begin() as session:
        review = reviews.lock(session, team.review_id)
        reviews.set_member(session, review, user_id=zoe.id, role=Role.REVIEWER)

    def decide(who: Person, number: int, verdict: str, **said: Any) -> None:
        StillClock.at += timedelta(minutes=1)
        world.decide(team.review_id, who, number, verdict, **said)

    for number in (1, 2, 3, 4):
        decide(zoe, number, "include")
    for number, verdict in enumerate(ben.verdicts, start=1):
        decide(team.ben, number, verdict, **ben.said)
    # He changes his mind, and takes one back.
    decide(team.ben, 2, "include" if ben.verdicts[1] == "exclude" else "exclude")
    world.withdraw(team.review_id, team.ben, 6)
    for who, number in ((team.ann, 7), (team.ben, 7), (team.ann, 8)):
        decide(who, number, "exclude", reasons=["population"], labels=["both"])
    with world.entered(team.review_id, team.owner) as (session, review, _):
        changes = {"criteria_exclude": ["population of title 9"], "exclusion_reasons": ["design"]}
        texts.change(session, review, changes, by=team.owner.id)
    # Two that both of them decided become one, and two that Ben decided one and two again.
    linked = world.merge(team.review_id, team.owner, 3, 4)
    StillClock.at += timedelta(minutes=1)
    world.split(team.review_id, team.owner, world.merge(team.review_id, team.owner, 1, 5))
    ranking = world.rank(team.review_id, *range(11, 0, -1))
    client = opened_client(settings)
    listed = client.get(f"{API}/reviews/{team.review_id}/imports", headers=team.ann.auth).json()
    names = {
        "r": str(team.review_id),
        "i": listed["items"][0]["id"],
        "k": str(ranking.id),
        "d": str(linked),
        "u": str(team.ben.id),
    }
    return OneWorld(client, world, team, names)


@pytest.fixture
def worlds(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    migrated_sqlite: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[OneWorld, OneWorld]]:
    policy: Said = getattr(request, "param", {})
    made = []
    for name, votes in (("agreeing", AGREEING), ("differing", DIFFERING)):
        same_people(monkeypatch)
        made.append(build(tmp_path / name, migrated_sqlite, policy, votes))
    yield made[0], made[1]
    for one in made:
        one.client.__exit__(None, None, None)
        one.world.database.close()


_CURSOR = re.compile(r'(?<="next_cursor":")[\w-]+={0,2}(?=")')


def opened(cursor: re.Match[str]) -> str:
    """Return what a cursor contains when it is decoded."""
    try:
        return base64.urlsafe_b64decode(cursor[0]).decode()
    except ValueError:
        return cursor[0]  # of events: a number, as it is


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def seen(one: OneWorld, who: str, asked: list[Asked]) -> list[tuple[Any, ...]]:
    """Return all answers, with ids numbered as they are met."""
    person: Person = getattr(one.team, who)
    met: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return met.setdefault(found[0], f"{len(met):036}")

    answers = []
    for request, status, headers, text in (one.ask(person, each) for each in asked):
        answers.append((request, status, headers, _ID.sub(number, _CURSOR.sub(opened, text))))
    return answers


POLICIES: list[Said] = [
    {},
    {"resolution": "consensus"},
    {"reviewers_per_record": 3, "resolution": "majority", "maybe": "conflict"},
]
MORE_POLICIES: list[Said] = [
    {"voter_may_adjudicate": True, "adjudicator_sees": "anonymous"},
    {"maybe": "conflict", "reasons_must_match": True},
    {"reviewers_per_record": 3},
    {"reviewers_per_record": 1},
]
IN_A_SOAK = [pytest.param(policy, marks=pytest.mark.soak) for policy in MORE_POLICIES]
_AT_ONCE = 3
_turns: Counter[tuple[str, str]] = Counter()


def every_read() -> list[Asked]:
    """All of READS in a soak; else up to three of each route, at each call the next three.

    So the tests ask everything together, and each of them every route.
    """
    asked = list[Asked]()
    for route, group in READS.items():
        if effort.is_soak() or len(group) <= _AT_ONCE:
            asked += group
            continue
        start, _turns[route] = _turns[route], _turns[route] + _AT_ONCE
        asked += [group[number % len(group)] for number in range(start, start + _AT_ONCE)]
    return asked


EVERY_WRITE = [asked for group in WRITES.values() for asked in group]


@pytest.mark.parametrize("worlds", [*POLICIES, *IN_A_SOAK], indirect=True, ids=str)
def test_the_blinded_cannot_tell_the_worlds_apart(worlds: tuple[OneWorld, OneWorld]) -> None:
    both = [*every_read(), *EVERY_WRITE]
    # Ann comes again: by then all have done what they may.
    for who, asked in (("ann", both), ("eve", both), ("observer", both), ("ann", every_read())):
        agreeing, differing = (seen(one, who, asked) for one in worlds)
        for one, other in zip(agreeing, differing, strict=True):
            assert one == other


def test_the_worlds_do_differ_for_those_who_may_see(worlds: tuple[OneWorld, OneWorld]) -> None:
    """Without this the test above could pass on two worlds that are the same."""
    exports = ("export?format=jsonl", "export?format=decisions")
    for template in ("records", "conflicts", "progress", "events", *exports):
        asked: Asked = ("GET", f"{R}/{template}", None)
        agreeing, differing = (seen(one, "judge", [asked]) for one in worlds)
        assert agreeing != differing, template


@pytest.mark.parametrize(
    "worlds",
    [{"reviewers_per_record": 3}, {"reviewers_per_record": 3, "resolution": "majority"}],
    indirect=True,
    ids=str,
)
def test_to_have_decided_shows_nothing_while_the_record_is_open(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    decide: Asked = ("PUT", f"{R}/records/5/decision", {"verdict": "include"})
    withdraw: Asked = ("DELETE", f"{R}/records/5/decision?dry_run=true", None)
    asked = [decide, *TRIED, withdraw, *every_read()]
    agreeing, differing = (seen(one, "ann", asked) for one in worlds)

    assert agreeing == differing
    assert '"status":"done"' in agreeing[0][3]


def test_what_others_settled_after_one_took_a_vote_back_stays_hidden(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    """In one world the others agree meanwhile; Ann's next vote makes a conflict in both.

    It is informed in both: the record has all its decisions by then, so that full text tells.
    """
    decide: Asked = ("PUT", f"{R}/records/10/decision", {"verdict": "exclude"})
    withdraw: Asked = ("DELETE", f"{R}/records/10/decision", None)
    answers_of_worlds, before, after = [], every_read(), every_read()
    for one, ben in zip(worlds, ("include", "exclude"), strict=True):
        id_, team = one.team.review_id, one.team
        one.world.decide(id_, team.ann, 10, "include")
        one.world.withdraw(id_, team.ann, 10)
        one.world.decide(id_, team.eve, 10, "include")
        one.world.decide(id_, team.ben, 10, ben)
        answers_of_worlds.append(seen(one, "ann", [*before, decide, withdraw, decide, *after]))

    assert answers_of_worlds[0] == answers_of_worlds[1]
    votes = [text for asked, _, _, text in answers_of_worlds[0] if asked == decide]
    assert len(votes) == 2
    assert all('"informed":true' in text for text in votes)


def test_a_dry_run_does_not_depend_on_the_others_while_a_conflict_is_closed(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    """Ann's vote agrees with the others' in one world only, and the record is open in both."""
    answers_of_worlds = []
    for one in worlds:
        one.world.decide(one.team.review_id, one.team.ann, 5, "include")
        one.world.change_policy(one.team.review_id, one.team.owner, reviewers_per_record=3)
        try_it: Asked = ("PUT", f"{R}/records/5/decision?dry_run=true", {"verdict": "exclude"})
        undo: Asked = ("DELETE", f"{R}/records/5/decision?dry_run=true", None)
        answers_of_worlds.append(seen(one, "ann", [try_it, undo]))

    assert answers_of_worlds[0] == answers_of_worlds[1]
    texts = [answer[3] for answer in answers_of_worlds[0]]
    assert '"status_before":"done","status_after":"done","conflict":null' in texts[0]
    assert '"status_before":"done","status_after":"unscreened","conflict":null' in texts[1]


def test_an_open_audit_tells_the_blinded_nothing(
    worlds: tuple[OneWorld, OneWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registered and open in both worlds, its order the same; what it has shown differs."""
    monkeypatch.setattr("tandem.stopping.random_order.new_seed", lambda: b"\x01" * 32)
    answers_of_worlds, shown, before, after = [], [], every_read(), every_read()
    for one in worlds:
        owner = one.team.owner
        asked = {"stage": TA, "target_recall": 0.8, "confidence": 0.8}
        made = one.client.post(
            R.format(**one.names) + "/audits", json=asked, headers=owner.auth
        ).json()
        names = one.names | {"a": made["id"]}
        draws = f"{R}/audits/{{a}}"
        here = OneWorld(one.client, one.world, one.team, names)
        here.ask(owner, ("PATCH", draws, {"serving": "draws_only"}))
        own = [("GET", path, None) for path in (draws, f"{draws}/draws", f"{draws}/certificate.md")]
        both = [*before, *own, *EVERY_WRITE, *after, *own]
        answers_of_worlds.append([seen(here, who, both) for who in ("ann", "eve", "observer")])
        shown.append(here.ask(owner, ("GET", f"{R}/stopping", None))[3])

    assert answers_of_worlds[0] == answers_of_worlds[1]
    assert shown[0] != shown[1]


def test_a_change_of_criteria_gives_the_blinded_something_to_look_at(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    """Else the lists of second looks and labels could be equal because they are empty."""
    asked: list[Asked] = [("GET", f"{R}/{path}", None) for path in ("criteria/affected", "labels")]
    for one in worlds:
        affected, labels = (answer[3] for answer in seen(one, "ann", asked))
        assert '"cause":"reason","criteria":["population"]' in affected
        assert '"label":"both","n_records":2' in labels


def test_who_decided_sees_done_until_the_conflict_is_settled(
    worlds: tuple[OneWorld, OneWorld],
) -> None:
    one = worlds[1]
    ann, judge, root = one.team.ann, one.team.judge, f"{API}/reviews/{one.team.review_id}"

    def get(path: str, who: Person = ann, expect: int = 200) -> Any:
        answer = one.client.get(root + path, headers=who.auth)
        assert answer.status_code == expect
        return answer.json()

    decision = {"verdict": "include"}
    answers_of_worlds = one.client.put(
        f"{root}/records/5/decision", json=decision, headers=ann.auth
    ).json()
    conflicts = get("/conflicts?state=open", judge)["items"]
    (conflict,) = [item["id"] for item in conflicts if item["record"]["id"] == "5"]

    assert answers_of_worlds["record"]["status"] == "done"
    assert get("/records/5")["status"] == "done"
    assert "5" in [item["id"] for item in get("/records?status=done")["items"]]
    assert get("/conflicts")["items"] == []
    get(f"/conflicts/{conflict}", expect=404)
    assert "conflict" not in {event["type"].split(".")[1] for event in get("/events")["items"]}

    path = f"{root}/conflicts/{conflict}/resolution"
    assert one.client.post(path, json=decision, headers=judge.auth).status_code == 200

    assert get("/records/5")["status"] == "included"
    shown = get(f"/conflicts/{conflict}")
    assert shown["resolution"]["verdict"] == "include"
    assert {vote["verdict"] for vote in shown["decisions"]} == {"include", "exclude"}
    changed = one.client.put(
        f"{root}/records/5/decision", json={"verdict": "exclude"}, headers=ann.auth
    ).json()
    assert changed["decision"]["informed"] is True
