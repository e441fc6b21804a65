"""How requests fail, for the OpenAPI document: each status with its codes and what they say."""

from http import HTTPStatus
from typing import Any

PROBLEM = "application/problem+json"

REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
HEADERS: dict[str, Any] = {
    "RequestId": {
        "description": "Stands in the server's log beside everything this request did.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "Replayed": {
        "description": "The answer of the first request with this Idempotency-Key.",
        "schema": {"const": "true"},
    },
    "Cookie": {
        "description": "The session: HttpOnly, SameSite=Lax, Secure under https.",
        "schema": {"type": "string"},
    },
    "Challenge": {"required": True, "schema": {"const": "Bearer"}},
    "RetryAfter": {"description": "Seconds.", "required": True, "schema": {"type": "string"}},
}
_HEADERS_OF = {
    401: {"WWW-Authenticate": {"$ref": "#/components/headers/Challenge"}},
    429: {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
    503: {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return for `responses=` of a route how it may fail beside what follows from its form.

    403: some members may not even read it. 429: a secret may be guessed at, so attempts count.
    """
    return {status: {"description": HTTPStatus(status).phrase} for status in statuses}


def gives_cookie(status: int) -> dict[int | str, dict[str, Any]]:
    """Return for `responses=` of a route that its answer sets or removes the session's cookie."""
    cookie = {"Set-Cookie": {"$ref": "#/components/headers/Cookie"}}
    return {status: {"headers": cookie}}


def reference(status: int) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{_name(status)}"}


def responses() -> dict[str, Any]:
    """Return all failures, as the document's components."""
    return {_name(status): _failure(status) for status in FAILURES}


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _failure(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    examples = {}
    for code, detail in FAILURES[status].items():
        body: dict[str, Any] = {"type": "about:blank", "title": phrase, "status": status}
        examples[code] = {
            "value": body | {"code": code, "detail": detail, "request_id": "4f1c0a7e"}
        }
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        for example in examples.values():
            field, _, message = example["value"]["detail"].partition(": ")
            named = {"field": field, "location": "body", "message": message}
            example["value"]["errors"] = [named]
    return {
        "description": phrase,
        "headers": REQUEST_ID | _HEADERS_OF.get(status, {}),
        "content": {
            PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
        },
    }


_NEWER = (
    "You have decided this record since, in another window or on another device. Nothing was "
    "changed. Look at it, and send yours again with that decision as `basis` if it holds."
)

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
        "audit_finished": "This audit is over; nothing about it changes any more.",
        "audit_registered": "This stage has an audit already. Change its target, or abandon it.",
        "email_taken": "There is already an account for ann@example.org.",
        "idempotency_key_reused": "This Idempotency-Key was used for another request.",
        "is_duplicate": "Record 18 is a duplicate of record 17: decide that one.",
        "is_linked": "These records are linked. Split them instead.",
        "newer_decision": _NEWER,
        "last_admin": "ann@example.org is the only active administrator.",
        "last_owner": "This is the review's only owner. Make somebody else an owner first.",
        "no_pilot": "No pilot round is running.",
        "no_records": "There are no records for a pilot round. Import some first.",
        "nothing_to_keep": "Nothing of this audit can be kept: abandon it and register a new one.",
        "not_failed": "This job is running; only failed and parked ones are tried again.",
        "no_text": "There is no text in this file, as in a scan. The file itself can be opened.",
        "quarantined": "The virus scanner of this installation has refused this file.",
        "text_not_read": "This file is not read yet. It is in a moment.",
        "text_not_there": "'Okafor 2012.pdf' is not there (any more). Send it again.",
        "not_consensus": "The review's policy asks for no second vote: an adjudicator settles.",
        "not_at_this_stage": "Record 17 is not at full text. It gets there when title and "
        "abstract include it, with all decisions that the policy asks for.",
        "not_linked": "These records are not linked.",
        "not_resolved": "No resolution of this conflict stands, so there is none to take back.",
        "import_in_use": "3 of its records have been decided, so it cannot be taken back.",
        "import_under_way": "The file 'medline.ris' is not read to its end. Wait for it.",
        "review_archived": "This review is archived: nothing in it can be changed.",
        "must_be_screened": "Only records of other methods start at full text.",
        "not_screened": "Record 17 is not screened by title and abstract: it was removed before.",
        "pilot_running": "A pilot round is running. End it before you begin another one.",
        "setup_done": "This installation has an account already. Sign in.",
        "too_many_webhooks": "A review has at most 20 webhooks. Remove one first.",
        "unfinished": "This import is not done yet.",
        "was_screened": "Somebody has decided record 17: it cannot be removed before screening.",
        "voted_again": "You have voted once more already. Talk it over, or let somebody settle.",
    },
    413: {
        "too_large": "The request is larger than the 512 MiB accepted here.",
        "project_too_large": "The project is too large: it has more than 512 MiB.",
        "text_quota_exceeded": "The texts of this review take 1990 of 2000 MiB.",
        "text_too_large": "'scan.pdf' has 230 MiB; at most 100 are accepted.",
        "zip_too_large": "The zip unpacks to more than 2000 MiB. Send its files in several parts.",
    },
    422: {
        "invalid": "verdict: should be 'include', 'exclude' or 'maybe'",
        "not_a_pdf": "file: 'article.pdf' is no PDF, no Word document and no plain text.",
        "unreadable_project": "file: The file cannot be read: there is no project.qde in it.",
        "unreadable_zip": "files: The zip is damaged.",
        "reason_required": "reasons: Give at least one reason: who excludes a full text says why.",
        "too_few_includes": "stage: Nothing is included yet, so there is no recall to show.",
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
