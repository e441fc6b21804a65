"""What the tests of two worlds ask: every route of a review, with the reason for those left out."""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any, get_args
from uuid import UUID

import effort
from service.api.scene import API
from tandem.records.export.names import ExportFormat

R = f"{API}/reviews/{{r}}"

NOWHERE = "00000000-0000-4000-8000-000000000000"

STATUSES = (None, "unscreened", "awaiting", "conflict", "included", "excluded", "done")

TA, FT = "title_abstract", "full_text"

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
    narrowed = ("year_from=2012&year_to=2015", "has_abstract=true", "has_abstract=false")
    for query in (
        "q=title",
        "q=population",
        "source=Medline",
        "label=odd",
        f"stage={TA}",
        *narrowed,
    ):
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
        ("GET", f"{R}/stopping{query}", None) for query in ("", f"?stage={TA}", f"?stage={FT}")
    ],
    ("GET", "/reviews/{review_id}/plots/stopping.svg"): [
        ("GET", f"{R}/plots/stopping.svg{query}", None) for query in ("", f"?stage={FT}")
    ],
    ("GET", "/reviews/{review_id}/audits"): [("GET", f"{R}/audits", None)],
    ("GET", "/reviews/{review_id}/audits/{audit_id}"): [("GET", _AUDIT, None)],
    **{
        ("GET", f"/reviews/{{review_id}}/audits/{{audit_id}}/{what}"): [
            ("GET", f"{_AUDIT}/{what}", None)
        ]
        for what in ("draws", "certificate", "certificate.json", "certificate.md")
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

_CALLS = 8
"""After so many calls of `every_read` everything was asked."""

_turns: Counter[tuple[str, str]] = Counter()


def every_read() -> list[Asked]:
    """All of READS in a soak; else an eighth of each route's, at each call the next eighth.

    So the tests ask everything together, and each of them every route.
    """
    if effort.is_soak():
        return [asked for group in READS.values() for asked in group]
    some = list[Asked]()
    for route, group in READS.items():
        start, n = _turns[route], -(-len(group) // _CALLS)
        _turns[route] += n
        some += [group[number % len(group)] for number in range(start, start + n)]
    return some


EVERY_WRITE = [asked for group in WRITES.values() for asked in group]
