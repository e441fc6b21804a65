"""Examples: who is in the review, who is invited, what each has to do."""

from typing import Any

from tandem_api.examples.screening import ANN, BEN, JSON, TIME, page

_REVIEW_ID = "6f1c2d3e-5a4b-4c8d-9e0f-112233445566"
_INVITATION_ID = "7e8f9a0b-1c2d-4f3a-8b4c-6d7e8f9a0b1c"
_SECRET = "6oXlJ4yq…"  # noqa: S105  # not one
_EXPIRES = "2026-12-07T09:30:00Z"

_MEMBER = {
    "user_id": ANN,
    "name": "Ann Lee",
    "email": "ann@example.org",
    "role": "reviewer",
    "added_at": TIME,
    "paused": False,
    "share": 0.25,
    "workload": {"decided": 66, "target": 590, "left": 524},
}
_INVITATION = {
    "id": _INVITATION_ID,
    "role": "reviewer",
    "email": "ben@example.org",
    "state": "open",
    "created_at": TIME,
    "expires_at": _EXPIRES,
    "invited_by": ANN,
    "invited_by_name": "Ann Lee",
    "accepted_by": None,
    "accepted_by_name": None,
}
_PILOT = {
    "state": "running",
    "size": 50,
    "n_records": 50,
    "records_done_by": [
        {"user_id": ANN, "name": "Ann Lee", "n": 50},
        {"user_id": BEN, "name": "Ben Stone", "n": 31},
    ],
    "agreement_link": f"/api/v1/reviews/{_REVIEW_ID}/agreement?on=pilot",
}
_INTEREST = {
    "user_id": ANN,
    "name": "Ann Lee",
    "record_id": "17",
    "title": "What peer workers say about their work",
    "author": "Lee, A.",
    "declared": None,
    "withheld": True,
    "at": TIME,
}

REQUESTS: dict[str, Any] = {
    "set_member": {"role": "reviewer", "share": 0.25},
    "change_member": {"paused": True},
    "invite": {"role": "reviewer", "email": "ben@example.org", "expires_days": 14},
    "accept_invitation": {"name": "Ben Stone", "password": "correct horse battery"},
    "begin_pilot": {"size": 50},
    "declare_interest": {"has_interest": False},
}

ANSWERS: dict[str, dict[str, Any]] = {
    "set_member": {JSON: _MEMBER},
    "change_member": {JSON: {**_MEMBER, "paused": True}},
    "list_members": page(_MEMBER),
    "remove_member": {
        JSON: {
            "n_decisions_voided": 66,
            "n_records_changed": 2,
            "n_conflicts_opened": 0,
            "n_conflicts_closed": 1,
            "records": [
                {
                    "stage": "title_abstract",
                    "record_id": "17",
                    "from": "conflict",
                    "to": "awaiting",
                },
                {
                    "stage": "title_abstract",
                    "record_id": "40",
                    "from": "excluded",
                    "to": "awaiting",
                },
            ],
            "n_open_conflicts_of_theirs": 0,
            "n_nobody_may_settle": 0,
            "n_awaiting": 0,
            "note": None,
        }
    },
    "invite": {
        JSON: {
            **_INVITATION,
            "link": f"https://tandem.example.org/join/{_SECRET}",
            "token": _SECRET,
        }
    },
    "list_invitations": page(_INVITATION),
    "show_invitation": {
        JSON: {
            "review_title": "Peer support workers in health",
            "role": "reviewer",
            "invited_by": "Ann Lee",
            "email": "ben@example.org",
            "expires_at": _EXPIRES,
            "needs_account": True,
            "to_accept": f"POST /api/v1/invitations/{_SECRET}/acceptance with a `name` and a "
            "`password` makes your account and lets you in.",
        }
    },
    "accept_invitation": {
        JSON: {
            "review_id": _REVIEW_ID,
            "user_id": BEN,
            "user_name": "Ben Stone",
            "role": "reviewer",
        }
    },
    "get_pilot": {JSON: _PILOT},
    "begin_pilot": {JSON: _PILOT},
    "end_pilot": {JSON: {**_PILOT, "state": "ended"}},
    "list_interests": page(_INTEREST),
    "declare_interest": {JSON: {**_INTEREST, "declared": False, "withheld": False}},
}
