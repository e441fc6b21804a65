"""Examples for the OpenAPI document: one review, one record, one morning."""

from typing import Any

from tandem.reviews.policy import DEFAULT

JSON = "application/json"

_REVIEW_ID = "6f1c2d3e-5a4b-4c8d-9e0f-112233445566"
ANN, BEN = "0d1f2a3b-4c5d-4e6f-8a7b-9c0d1e2f3a4b", "1e2f3a4b-5c6d-4f7a-9b8c-0d1e2f3a4b5c"
_IMPORT_ID = "2f3a4b5c-6d7e-4a8b-8c9d-1e2f3a4b5c6d"
_RANKING_ID = "3a4b5c6d-7e8f-4b9c-9d0e-2f3a4b5c6d7e"
_DECISION_ID = "5c6d7e8f-9a0b-4d1e-9f2a-4b5c6d7e8f9a"
TIME = "2026-11-23T09:30:00Z"

_POLICIES = {stage.value: policy.model_dump(mode="json") for stage, policy in DEFAULT.items()}
_REVIEW = {
    "id": _REVIEW_ID,
    "title": "Peer support workers in health",
    "question": "How do peer support workers experience their role?",
    "criteria": {"include": ["Peer support workers"], "exclude": ["Not about health"]},
    "criteria_version": 1,
    "exclusion_reasons": ["wrong population", "wrong study design"],
    "seed_studies": ["https://doi.org/10.1000/example.17", "PMID: 22000018"],
    "highlights": {"for": ["peer support", "interview*"], "against": ["protocol"]},
    "policy": _POLICIES,
    "role": "owner",
    "sequence": 42,
    "archived_at": None,
    "created_at": TIME,
}
_WHOLE_REVIEW = _REVIEW | {
    "warnings": [
        {
            "code": "nobody_may_settle",
            "message": "title_abstract: nobody may settle a conflict. The review has 2 members who "
            "screen, all of whom vote on each record, and the policy bars voters from settling.",
        }
    ],
    "seed_studies_found": [
        {"given": "https://doi.org/10.1000/example.17", "record_id": "17"},
        {"given": "PMID: 22000018", "record_id": None},
    ],
}
_SHARE = {"n_records": 1180, "n_decided_by_me": 66, "remaining_for_me": 1114}
_WAITING = {
    "conflicts": 3,
    "duplicates": 12,
    "second_looks": 0,
    "imports_failed": 1,
    "invitations": 1,
}
BIBLIOGRAPHIC = {
    "id": "17",
    "title": "What peer workers say about their work",
    "abstract": "Background: peer support is spreading. Methods: we interviewed 21 workers.",
    "authors": ["Moran, Galia S.", "Russinova, Zlatka"],
    "year": 2012,
    "journal": "Qualitative Health Research",
    "volume": "22",
    "issue": "10",
    "pages": "1356-1367",
    "doi": "10.1000/example.17",
    "pmid": "22000017",
    "url": None,
    "keywords": ["peer support"],
    "language": "eng",
    "registry_ids": ["NCT01234567"],
    "kind": "article",
}
DECISION = {
    "id": _DECISION_ID,
    "record_id": "17",
    "stage": "title_abstract",
    "verdict": "include",
    "reasons": [],
    "labels": ["interviews"],
    "note": None,
    "seconds": 12.5,
    "informed": False,
    "rank": 3,
    "ranking_id": _RANKING_ID,
    "carried_from": None,
    "criteria_version": 1,
    "labels_seq": 42,
    "decided_at": TIME,
    "made_at": "2026-11-23T09:29:58Z",
}
_NEWER = (
    "You have decided this record since, in another window or on another device. Nothing was "
    "changed. Look at it, and send yours again with that decision as `basis` if it holds."
)
_LEFT = {"remaining": 1137, "workload": {"decided": 67, "target": None, "left": None}}
RECORD = {
    **BIBLIOGRAPHIC,
    "sources": [{"source": "Medline", "import_id": _IMPORT_ID, "ref": "22000017"}],
    "duplicates": [],
    "duplicate_of": None,
    "related": [],
    "stage": "title_abstract",
    "status": "done",
    "final_reason": None,
    "my_decision": DECISION,
    "added_at": TIME,
}
_IMPORT = {
    "id": _IMPORT_ID,
    "state": "done",
    "source": "Medline",
    "filename": "medline.ris",
    "format": "ris",
    "n_total": 1204,
    "n_read": 1204,
    "n_added": 1180,
    "n_duplicates": 23,
    "n_rejected": 1,
    "step": None,
    "percent": None,
    "platform": "PubMed",
    "searched_on": "2026-11-20",
    "strategy": "peer support*[tiab] AND qualitative[tiab]",
    "n_priors": 0,
    "priors_taken_at": None,
    "rejected": [{"position": 77, "reason": "neither title nor abstract", "excerpt": "TY  - JOUR"}],
    "error": None,
    "created_by": ANN,
    "created_by_name": "Ann Lee",
    "created_at": TIME,
    "finished_at": TIME,
    "taken_back_at": None,
}
_QUEUED = _IMPORT | {
    "state": "queued",
    "format": None,
    "n_total": None,
    "n_read": 0,
    "n_added": 0,
    "n_duplicates": 0,
    "n_rejected": 0,
    "rejected": [],
    "finished_at": None,
}
_CANDIDATE = BIBLIOGRAPHIC | {
    "source": {"source": "Medline", "import_id": _IMPORT_ID, "ref": "22000017"}
}
_ITS_COPY = _CANDIDATE | {
    "id": "912",
    "doi": None,
    "pmid": None,
    "source": {"source": "CINAHL", "import_id": _IMPORT_ID, "ref": "107986511"},
}
_PROPOSED = {
    "id": "8f4a4a6e-4f5e-4a54-9d0c-2b8f3f5f0f6b",
    "state": "proposed",
    "records": [_CANDIDATE, _ITS_COPY],
    "representative": None,
    "score": 0.93,
    "evidence": ["equal titles", "same first author"],
    "created_at": TIME,
    "settled_at": None,
    "settled_by": None,
    "settled_by_name": None,
}
_LINKED = _PROPOSED | {
    "state": "linked",
    "representative": "17",
    "settled_at": TIME,
    "settled_by": ANN,
    "settled_by_name": "Ann Lee",
}
_KEPT = _LINKED | {"state": "kept", "representative": None}
_RANKING = {
    "id": _RANKING_ID,
    "stage": "title_abstract",
    "model": "tandem-1",
    "preset": {"ngrams": [1, 2]},
    "kind": "model",
    "labels_seq": 42,
    "n_labels": 40,
    "n_relevant": 6,
    "n_ranked": 1180,
    "terms": [{"term": "statins", "weight": 0.31}, {"term": "mice", "weight": -0.17}],
    "n_vectors": 1180,
    "seconds": 0.4,
    "created_at": TIME,
}
_EVENT = {
    "specversion": "1.0",
    "id": "7e8f9a0b-1c2d-4f3a-9b4c-6d7e8f9a0b1c",
    "source": f"/reviews/{_REVIEW_ID}",
    "type": "tandem.decision.recorded",
    "time": TIME,
    "subject": "17",
    "datacontenttype": "application/json",
    "data": {
        "record_id": "17",
        "stage": "title_abstract",
        "reviewer_id": ANN,
        "labels_seq": 42,
    },
    "sequence": 5,
}
_STREAM = (
    "event: tandem.ranking.updated\n"
    f'data: {{"specversion":"1.0","id":"…","source":"/reviews/{_REVIEW_ID}",…}}\n'
    "id: 6\n\n"
    ": ping\n\n"
)
_PLOTS = f"/api/v1/reviews/{_REVIEW_ID}/plots"
_PROGRESS = {
    "stages": {
        "title_abstract": {
            "n_records": 1180,
            "counts": {
                "unscreened": 1138,
                "awaiting": 20,
                "conflict": 1,
                "included": 6,
                "excluded": 15,
            },
            "reviewers": [
                {
                    "user_id": ANN,
                    "name": "Ann Lee",
                    "n_decided": 42,
                    "by_day": [{"date": "2026-11-23", "n_decisions": 42}],
                }
            ],
            "recall_curve": [
                {"n_decisions": 0, "n_included": 0},
                {"n_decisions": 9, "n_included": 1},
            ],
            "recall": {
                "of": "team",
                "points": [
                    {"n_screened": 0, "n_included": 0, "n_possible": 0},
                    {"n_screened": 9, "n_included": 1, "n_possible": 2},
                ],
            },
        }
    },
    "plots": {
        "recall": f"{_PLOTS}/recall.svg?stage=title_abstract",
        "progress": f"{_PLOTS}/progress.svg?stage=title_abstract",
        "agreement": f"{_PLOTS}/agreement.svg?stage=title_abstract",
    },
    "sentences": {"model": "all-MiniLM-L6-v2", "encoded": 640, "of": 1180},
    "ranking": None,
    "stranded": {
        "n_screeners": 2,
        "n_records": 1,
        "record_ids": ["17"],
        "n_decisions_beyond_shares": 0,
    },
    "webhooks": [
        {
            "id": "5f6a7b8c-9d0e-4f1a-8b2c-3d4e5f6a7b8c",
            "url": "https://hooks.example.org/tandem",
            "state": "off",
            "reason": "failing",
            "since": "2026-11-23T09:30:00Z",
        }
    ],
}


def page(item: dict[str, Any]) -> dict[str, Any]:
    return {JSON: {"items": [item], "next_cursor": None}}


REQUESTS: dict[str, Any] = {
    "create_review": {
        "title": "Peer support workers in health",
        "question": "How do peer support workers experience their role?",
        "criteria": {"include": ["Peer support workers"], "exclude": ["Not about health"]},
        "exclusion_reasons": ["wrong population", "wrong study design"],
        "seed_studies": ["https://doi.org/10.1000/example.17", "PMID: 22000018"],
        "policy": {"title_abstract": {"maybe": "conflict"}},
    },
    "change_review": {"policy": {"title_abstract": {"reviewers_per_record": 1}}},
    "delete_review": {"title": "Peer support workers in health"},
    "upload": {"file": "TY  - JOUR\nTI  - A title\nER  - \n", "source": "Medline"},
    "split_duplicates": {"record_ids": ["912"]},
    "next_records": {"limit": 5},
    "put_decision": {
        "verdict": "exclude",
        "reasons": ["wrong population"],
        "seconds": 12.5,
        "basis": None,
        "made_at": "2026-11-23T09:29:58Z",
    },
    "put_decisions": {
        "items": [
            {"record_id": "17", "verdict": "include"},
            {"record_id": "18", "verdict": "exclude", "reasons": ["wrong population"]},
            {"record_id": "19", "verdict": None, "basis": _DECISION_ID},
        ]
    },
}
"""Bodies by operation."""

ANSWERS: dict[str, dict[str, Any]] = {
    "create_review": {JSON: _WHOLE_REVIEW},
    "list_reviews": page(_REVIEW | _SHARE | {"waiting": _WAITING}),
    "get_waiting": {JSON: _SHARE | _WAITING},
    "get_review": {JSON: _WHOLE_REVIEW},
    "archive_review": {JSON: _WHOLE_REVIEW | {"archived_at": TIME}},
    "unarchive_review": {JSON: _WHOLE_REVIEW},
    "change_review": {
        JSON: {
            **_WHOLE_REVIEW,
            "dry_run": True,
            "effects": [
                {
                    "stage": "title_abstract",
                    "n_records_changed": 1,
                    "n_conflicts_opened": 0,
                    "n_conflicts_closed": 0,
                    "records_changed": [{"record_id": "17", "from": "awaiting", "to": "included"}],
                    "conflicts_opened": [],
                    "conflicts_closed": [],
                    "note": None,
                }
            ],
        }
    },
    "upload": {JSON: _QUEUED},
    "list_imports": page(_IMPORT),
    "take_import_back": {JSON: _IMPORT | {"state": "taken_back", "taken_back_at": TIME}},
    "get_import": {JSON: _IMPORT},
    "list_records": {JSON: {"items": [RECORD], "next_cursor": None, "n_matching": 1204}},
    "next_records": {
        JSON: {
            "items": [
                {
                    "record": {**RECORD, "status": "unscreened", "my_decision": None},
                    "rank": 3,
                    "score": 0.83,
                    "ranking_id": _RANKING_ID,
                    "lease_expires_at": "2026-11-23T10:00:00Z",
                    "terms": [
                        {"term": "atorvastatin", "weight": 0.184},
                        {"term": "cell line", "weight": -0.021},
                    ],
                }
            ],
            "remaining": 1138,
            "state": "ready",
            "withheld": 2,
            "workload": {"decided": 66, "target": None, "left": None},
        }
    },
    "put_decision": {
        JSON: {"decision": DECISION, "record": {"status": "done", "stage": "title_abstract"}}
        | _LEFT
    },
    "withdraw_decision": {
        JSON: {"decision": None, "record": {"status": "unscreened", "stage": "title_abstract"}}
        | _LEFT
    },
    "put_decisions": {
        JSON: {
            "items": [
                {
                    "record_id": "17",
                    "status": 200,
                    "decision": DECISION,
                    "record": {"status": "done", "stage": "title_abstract"},
                    "error": None,
                },
                {
                    "record_id": "18",
                    "status": 409,
                    "decision": DECISION | {"record_id": "18"},
                    "record": None,
                    "error": {"code": "newer_decision", "detail": _NEWER},
                },
                {
                    "record_id": "99999",
                    "status": 404,
                    "decision": None,
                    "record": None,
                    "error": {
                        "code": "not_found",
                        "detail": "There is no record 99999 in this review.",
                    },
                },
            ]
        }
    },
    "list_duplicates": page(_PROPOSED),
    "get_duplicate": {JSON: _PROPOSED},
    "merge_duplicates": {JSON: _LINKED},
    "keep_duplicates": {JSON: _KEPT},
    "split_duplicates": {JSON: _KEPT},
    "take_prior_decisions": {JSON: _IMPORT | {"n_priors": 12, "priors_taken_at": TIME}},
    "get_progress": {JSON: _PROGRESS},
    "plot_recall": {
        "image/svg+xml": '<svg role="img" aria-labelledby="title description"><title id="title">'
        "Included so far: 6 of 42 screened (1,180 records)</title></svg>"
    },
    "plot_progress": {
        "image/svg+xml": '<svg role="img" aria-labelledby="title description"><title id="title">'
        "1,159 of 1,180 records are not settled yet</title></svg>"
    },
    "list_rankings": page(_RANKING),
    "get_ranking": {JSON: _RANKING},
    "ask_for_ranking": {JSON: {"labels_seq": 43}},
    "read_events": {**page(_EVENT), "text/event-stream": _STREAM},
    "alive": {JSON: {"status": "ok"}},
    "ready": {
        JSON: {
            "status": "ok",
            "database": True,
            "broker": True,
            "n_stale_reviews": 0,
            "n_waiting_imports": 0,
            "problems": [],
        }
    },
}
"""Bodies of successful answers, by operation and media type."""

NOT_READY = {
    "status": "unavailable",
    "database": False,
    "broker": True,
    "n_stale_reviews": None,
    "n_waiting_imports": None,
    "problems": ["The database does not answer."],
}

FAILURES: dict[int, dict[str, str]] = {
    401: {"unauthenticated": "This token is not known. Make one with `tandem token add`."},
    403: {
        "forbidden": "Only an owner of this review may change it.",
        "insufficient_scope": "This token has the scope `read`; this needs `screen`.",
        "not_your_invitation": "This invitation is for another e-mail address.",
        "not_a_voter": "You have not decided this record, so you have no vote in its conflict.",
        "own_conflict": "You have decided this record yourself, so somebody else settles it.",
        "wrong_password": "The current password is wrong.",
        "wrong_token": "This link does not exist, has expired or was used.",
    },
    404: {
        "not_found": "There is no record 17 in this review.",
        "beyond_the_end": "The log has no entry 900 yet; its last one is 412.",
        "no_decision": "You have no decision on this record.",
        "no_invitation": "This invitation does not exist, has expired, was used or was withdrawn.",
    },
    409: {
        "account_off": "The account of ann@example.org is switched off. Switch it on first.",
        "already_resolved": "This conflict is settled already.",
        "email_taken": "There is already an account for ann@example.org.",
        "idempotency_key_reused": "This Idempotency-Key was used for another request.",
        "is_duplicate": "Record 18 is a duplicate of record 17: decide that one.",
        "is_linked": "These records are linked. Split them instead.",
        "newer_decision": _NEWER,
        "last_admin": "ann@example.org is the only active administrator.",
        "last_owner": "This is the review's only owner. Make somebody else an owner first.",
        "no_pilot": "No pilot round is running.",
        "no_records": "There are no records for a pilot round. Import some first.",
        "not_failed": "This job is running; only failed and parked ones are tried again.",
        "not_consensus": "The review's policy asks for no second vote: an adjudicator settles.",
        "not_linked": "These records are not linked.",
        "not_resolved": "No resolution of this conflict stands, so there is none to take back.",
        "import_in_use": "3 of its records have been decided, so it cannot be taken back.",
        "import_under_way": "The file 'medline.ris' is not read to its end. Wait for it.",
        "review_archived": "This review is archived: nothing in it can be changed.",
        "pilot_running": "A pilot round is running. End it before you begin another one.",
        "setup_done": "This installation has an account already. Sign in.",
        "too_many_webhooks": "A review has at most 20 webhooks. Remove one first.",
        "unfinished": "This import is not done yet.",
        "voted_again": "You have voted once more already. Talk it over, or let somebody settle.",
    },
    413: {"too_large": "The request is larger than the 512 MiB accepted here."},
    422: {
        "invalid": "verdict: should be 'include', 'exclude' or 'maybe'",
        "title_differs": "title: To delete the review, repeat its title exactly.",
        "weak_password": "password: is one of the commonest passwords: choose another.",
        "unsafe_url": "url: hooks.example.org is not (only) at public addresses.",
    },
    429: {
        "too_many_attempts": "There were too many failed attempts from here. Wait, then try again.",
        "too_many_requests": "This address has too many requests under way. Wait for some of them.",
        "too_many_streams": "This address follows too many event streams. Close some of them.",
    },
    500: {"internal": "This should not have happened. The server's log says more."},
    503: {
        "busy": "The database is busy: something else is writing to it. Nothing was changed; try "
        "again.",
        "storage_full": "The disk that holds the database is full. Nothing was changed. Its "
        "administrator makes room.",
        "storage_unwritable": "The database cannot be written: it is read-only, or belongs to "
        "somebody else. Nothing was changed.",
        "unavailable": "The database does not answer. Nothing was changed; try again.",
    },
}
"""Problems by status and code."""
