"""Examples for the OpenAPI document: one endpoint that fails, and what it was sent."""

from typing import Any

from tandem_api.examples.screening import ANN, JSON, TIME

_WEBHOOK_ID = "9a0b1c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d"
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105  # nobody's
_WEBHOOK = {
    "id": _WEBHOOK_ID,
    "url": "https://hooks.example.org/tandem",
    "types": ["tandem.record.included", "tandem.conflict.opened"],
    "description": "Our data warehouse",
    "owner_id": ANN,
    "owner_name": "Ann Lee",
    "created_at": TIME,
    "enabled": True,
    "disabled_at": None,
    "disabled_reason": None,
    "delivered_to": 118,
    "n_failures": 0,
    "failing_since": None,
    "next_attempt_at": None,
    "old_secret_until": None,
}
_NEW = _WEBHOOK | {"delivered_to": 117, "secret": _SECRET}
_SWITCHED_OFF = _WEBHOOK | {
    "enabled": False,
    "disabled_at": TIME,
    "disabled_reason": "failing",
    "failing_since": "2026-11-20T05:30:00Z",
}
_ROTATED = _NEW | {"old_secret_until": "2026-11-24T09:30:00Z"}
_DELIVERY = {
    "id": "0b1c2d3e-4f5a-4b6c-8d7e-8f9a0b1c2d3e",
    "kind": "log",
    "state": "delivered",
    "event_id": "7e8f9a0b-1c2d-4f3a-9b4c-6d7e8f9a0b1c",
    "event_type": "tandem.conflict.opened",
    "sequence": 118,
    "attempts": [
        {
            "at": "2026-11-23T09:29:55Z",
            "seconds": 0.031,
            "status": 503,
            "error": None,
            "answer": "upstream is away",
        },
        {"at": TIME, "seconds": 0.024, "status": 204, "error": None, "answer": ""},
    ],
    "created_at": "2026-11-23T09:29:55Z",
    "finished_at": TIME,
}
_ASKED_FOR = _DELIVERY | {
    "id": "1c2d3e4f-5a6b-4c7d-8e8f-9a0b1c2d3e4f",
    "kind": "redelivery",
    "state": "pending",
    "attempts": [],
    "finished_at": None,
}
_TEST = _ASKED_FOR | {
    "kind": "test",
    "event_id": "2d3e4f5a-6b7c-4d8e-8f9a-0b1c2d3e4f5a",
    "event_type": "tandem.webhook.test",
    "sequence": None,
}

REQUESTS: dict[str, Any] = {
    "add_webhook": {
        "url": "https://hooks.example.org/tandem",
        "types": ["tandem.record.included", "tandem.conflict.opened"],
        "description": "Our data warehouse",
    },
    "change_webhook": {"enabled": True},
}
"""Bodies by operation."""

ANSWERS: dict[str, dict[str, Any]] = {
    "add_webhook": {JSON: _NEW},
    "list_webhooks": {JSON: {"items": [_WEBHOOK], "next_cursor": None}},
    "get_webhook": {JSON: _SWITCHED_OFF},
    "change_webhook": {JSON: _WEBHOOK},
    "rotate_secret": {JSON: _ROTATED},
    "test_webhook": {JSON: _TEST},
    "list_deliveries": {JSON: {"items": [_DELIVERY], "next_cursor": None}},
    "redeliver": {JSON: _ASKED_FOR},
}
"""Bodies of successful answers, by operation and media type."""
