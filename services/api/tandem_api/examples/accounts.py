"""Examples: signing in, oneself, accounts of others."""

from typing import Any

from tandem_api.examples.screening import ANN, JSON, TIME, page

_PASSWORD = "correct horse battery"  # noqa: S105  # an example of one
_LINK_TOKEN = "6oXlJ4yq…"  # noqa: S105  # not one
_EXPIRES = "2026-11-24T09:30:00Z"

_USER = {
    "id": ANN,
    "email": "ann@example.org",
    "name": "Ann Lee",
    "is_admin": False,
    "is_active": True,
}
_ME = {**_USER, "preferences": {"theme": "dark"}}
_TOKEN = {
    "id": "6d7e8f9a-0b1c-4e2f-8a3b-5c6d7e8f9a0b",
    "name": "screening front-end",
    "scope": "screen",
    "created_at": TIME,
    "expires_at": "2027-11-23T00:00:00Z",
    "last_used_at": None,
}
_SESSION = {
    "id": "8c9d0e1f-2a3b-4c4d-8e5f-6a7b8c9d0e1f",
    "created_at": TIME,
    "last_used_at": TIME,
    "expires_at": "2026-11-26T09:30:00Z",
    "source": "203.0.113.7",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "current": True,
}

REQUESTS: dict[str, Any] = {
    "login": {"email": "ann@example.org", "password": _PASSWORD},
    "reset_password": {"token": _LINK_TOKEN, "password": _PASSWORD},
    "set_up": {
        "token": _LINK_TOKEN,
        "name": "Ann Lee",
        "email": "ann@example.org",
        "password": _PASSWORD,
    },
    "change_me": {"preferences": {"theme": "dark"}},
    "change_password": {"current": _PASSWORD, "new": "staple orbit lantern"},
    "add_token": {
        "name": "screening front-end",
        "expires_at": "2027-11-23T00:00:00Z",
        "scope": "screen",
    },
    "add_user": {"email": "ann@example.org", "name": "Ann Lee", "password": _PASSWORD},
    "change_user": {"is_active": False},
}

ANSWERS: dict[str, dict[str, Any]] = {
    "show_setup": {JSON: {"needed": True}},
    "set_up": {JSON: {**_ME, "is_admin": True, "preferences": {}}},
    "me": {JSON: _ME},
    "change_me": {JSON: _ME},
    "list_sessions": page(_SESSION),
    "get_session": {JSON: _SESSION},
    "add_token": {JSON: {**_TOKEN, "token": "tandem_6oXlJ4yq…"}},
    "list_tokens": page(_TOKEN),
    "add_user": {JSON: _USER},
    "list_users": page(_USER),
    "change_user": {JSON: {**_USER, "is_active": False}},
    "create_reset": {
        JSON: {"link": f"https://tandem.example.org/reset/{_LINK_TOKEN}", "expires_at": _EXPIRES}
    },
}
