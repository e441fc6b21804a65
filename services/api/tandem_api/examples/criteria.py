"""Examples: criteria that were clarified, and what that could touch."""

from typing import Any

from tandem_api.examples.screening import (
    ANN,
    BEN,
    BIBLIOGRAPHIC,
    DECISION,
    JSON,
    RECORD,
    TIME,
    page,
)

_VERSIONS = [
    {
        "version": 2,
        "include": ["Paid peer support workers"],
        "exclude": ["Not about health"],
        "note": "Volunteers were read in by one of us and not by the other.",
        "created_by": ANN,
        "created_by_name": "Ann Lee",
        "created_at": "2026-11-24T08:00:00Z",
    },
    {
        "version": 1,
        "include": ["Peer support workers"],
        "exclude": ["Not about health"],
        "note": None,
        "created_by": ANN,
        "created_by_name": "Ann Lee",
        "created_at": TIME,
    },
]
_VOTES = [
    {
        "reviewer": name,
        "reviewer_id": user_id,
        "verdict": "exclude",
        "reasons": [reason],
        "labels": [],
        "note": None,
        "decided_at": TIME,
        "criteria_version": 1,
    }
    for name, user_id, reason in (
        ("Ann Lee", ANN, "wrong study design"),
        ("Ben Okoye", BEN, "wrong population"),
    )
]
_WHOLE_RECORD = RECORD | {
    "status": "excluded",
    "final_reason": "wrong population",
    "my_decision": DECISION | {"verdict": "exclude", "reasons": ["wrong study design"]},
    "decisions": _VOTES,
}

REQUESTS: dict[str, Any] = {
    "correct_record": {"year": 2013, "doi": "10.1000/example.17", "pages": "1356-1367"}
}

ANSWERS: dict[str, dict[str, Any]] = {
    "list_criteria": {JSON: {"items": _VERSIONS, "next_cursor": None}},
    "list_affected": {
        JSON: {
            "items": [
                {
                    "record": BIBLIOGRAPHIC,
                    "decision": DECISION,
                    "why": [{"cause": "words", "criteria": [], "words": ["paid"]}],
                }
            ],
            "next_cursor": None,
            "criteria_version": 2,
            "n": 1,
            "explanation": None,
        }
    },
    "count_affected": page({"user_id": ANN, "name": "Ann Lee", "n": 12}),
    "confirm_decision": {
        JSON: {
            "decision": DECISION | {"criteria_version": 2, "labels_seq": 57},
            "record": {"status": "done", "stage": "title_abstract"},
        }
    },
    "count_reasons": {
        JSON: {
            "items": [
                {"reason": "wrong population", "n_records": 310, "is_listed": True},
                {"reason": "wrong study design", "n_records": 128, "is_listed": True},
                {"reason": "conference abstract", "n_records": 4, "is_listed": False},
            ],
            "next_cursor": None,
            "stage": "title_abstract",
            "n_without_reason": 11,
        }
    },
    "list_labels": page({"label": "interviews", "n_records": 31, "n_own": 20}),
    "get_record": {JSON: _WHOLE_RECORD},
    "correct_record": {JSON: _WHOLE_RECORD | {"year": 2013}},
}
