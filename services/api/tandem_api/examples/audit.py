"""Examples of what happened to a record."""

from typing import Any

JSON = "application/json"

_ANN = "0d1f2a3b-4c5d-4e6f-8a7b-9c0d1e2f3a4b"

REQUESTS: dict[str, Any] = {}

ANSWERS: dict[str, Any] = {
    "get_history": {
        JSON: {
            "items": [
                {
                    "sequence": 41,
                    "type": "tandem.decision.recorded",
                    "time": "2026-11-23T09:30:00Z",
                    "stage": "title_abstract",
                    "user_id": _ANN,
                    "name": "Ann Lee",
                    "before": "include",
                    "after": "exclude",
                    "detail": {
                        "carried_from": None,
                        "reasons": ["Not about health"],
                        "note": None,
                        "criteria_version": 1,
                        "second_in": None,
                        "entered_by": None,
                    },
                },
                {
                    "sequence": 42,
                    "type": "tandem.record.excluded",
                    "time": "2026-11-23T09:30:00Z",
                    "stage": "title_abstract",
                    "user_id": None,
                    "name": None,
                    "before": "conflict",
                    "after": "excluded",
                    "detail": {},
                },
            ],
            "next_cursor": None,
        }
    }
}
