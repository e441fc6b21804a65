"""Examples for the OpenAPI document: one conflict, from its discussion to its end and back."""

from typing import Any

from tandem_api.examples.screening import ANN, BEN, BIBLIOGRAPHIC, JSON, TIME

_EVE = "2f3a4b5c-6d7e-4a8b-8c9d-4b5c6d7e8f9a"
_CONFLICT_ID = "4b5c6d7e-8f9a-4c0d-8e1f-3a4b5c6d7e8f"
_MESSAGE_ID = "5c6d7e8f-9a0b-4d1e-9f2a-5c6d7e8f9a0b"
_LATER = "2026-11-24T14:05:00Z"
_CRITERION = "Peer support workers"

_VOTES = [
    {
        "letter": letter,
        "reviewer": name,
        "reviewer_id": user_id,
        "mine": False,
        "verdict": verdict,
        "reasons": reasons,
        "note": None,
    }
    for letter, name, user_id, verdict, reasons in (
        ("A", "Ben Okoye", BEN, "exclude", ["wrong population"]),
        ("B", "Ann Lee", ANN, "include", list[str]()),
    )
]
_CONFLICT: dict[str, Any] = {
    "id": _CONFLICT_ID,
    "record": BIBLIOGRAPHIC,
    "stage": "title_abstract",
    "state": "open",
    "kind": "verdict",
    "opened_at": TIME,
    "resolved_at": None,
    "resolved_by": None,
    "needs": "adjudicator",
    "decisions": _VOTES,
    "second_votes": [],
    "resolution": None,
    "history": [],
}
_RESOLUTION: dict[str, Any] = {
    "verdict": "include",
    "reasons": [],
    "note": "Peers are the participants.",
    "cause": "ambiguous_criterion",
    "criterion": _CRITERION,
    "resolver_id": _EVE,
    "resolver_name": "Eve Adeyemi",
    "resolved_at": _LATER,
    "taken_back_at": None,
    "taken_back_by": None,
    "taken_back_by_name": None,
    "taken_back_note": None,
}
_RESOLVED = _CONFLICT | {
    "state": "resolved",
    "resolved_at": _LATER,
    "resolved_by": "resolution",
    "needs": None,
    "resolution": _RESOLUTION,
}
_TAKEN_BACK = _RESOLUTION | {
    "taken_back_at": "2026-11-25T08:00:00Z",
    "taken_back_by": _EVE,
    "taken_back_by_name": "Eve Adeyemi",
    "taken_back_note": "The criterion was reworded since.",
}
_REOPENED = _CONFLICT | {"opened_at": "2026-11-25T08:00:00Z", "history": [_TAKEN_BACK]}
_TO_VOTERS = _CONFLICT | {
    "needs": "voters",
    "decisions": [
        vote | {"reviewer": vote["letter"], "reviewer_id": None, "mine": vote["letter"] == "B"}
        for vote in _VOTES
    ],
    "second_votes": ["B"],
}
_MESSAGE = {
    "id": _MESSAGE_ID,
    "author": "A",
    "author_id": None,
    "mine": False,
    "text": "The peers are the participants here, not the staff.",
    "sent_at": _LATER,
}
_DISAGREEMENTS = {
    "stages": {
        "title_abstract": {
            "n_open": 1,
            "n_resolved": 12,
            "by_kind": [
                {"kind": "verdict", "n_open": 1, "n_resolved": 10},
                {"kind": "reason", "n_open": 0, "n_resolved": 2},
                {"kind": "maybe", "n_open": 0, "n_resolved": 0},
            ],
            "settled_by": {
                "resolution": 9,
                "agreement": 2,
                "withdrawal": 1,
                "policy": 0,
                "duplicate": 0,
            },
            "resolutions": {"n_include": 6, "n_exclude": 3},
            "by_cause": [
                {"cause": "ambiguous_criterion", "n_include": 5, "n_exclude": 2},
                {"cause": None, "n_include": 1, "n_exclude": 1},
            ],
            "by_criterion": [
                {"criterion": _CRITERION, "n_include": 5, "n_exclude": 2},
                {"criterion": None, "n_include": 1, "n_exclude": 1},
            ],
            "reasons": [{"reasons": ["wrong design", "wrong population"], "n": 2}],
        }
    }
}

REQUESTS: dict[str, Any] = {
    "resolve_conflict": {
        "verdict": "include",
        "cause": "ambiguous_criterion",
        "criterion": _CRITERION,
    },
    "reopen_conflict": {"note": "The criterion was reworded since."},
    "vote_again": {"verdict": "include", "note": "I had read over the second sentence."},
    "send_message": {"text": _MESSAGE["text"]},
}
"""Bodies by operation."""

ANSWERS: dict[str, dict[str, Any]] = {
    "list_conflicts": {JSON: {"items": [_CONFLICT], "next_cursor": None}},
    "get_conflict": {JSON: _CONFLICT},
    "resolve_conflict": {JSON: _RESOLVED},
    "reopen_conflict": {JSON: _REOPENED},
    "vote_again": {JSON: _TO_VOTERS},
    "list_messages": {JSON: {"items": [_MESSAGE], "next_cursor": None}},
    "send_message": {JSON: _MESSAGE | {"author": "B", "mine": True}},
    "get_disagreements": {JSON: _DISAGREEMENTS},
}
"""Bodies of successful answers, by operation and media type."""
