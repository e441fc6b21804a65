"""Examples of what operators ask."""

from typing import Any

from tandem_api.examples.screening import JSON

_REVIEW_ID = "6f1c2d3e-5a4b-4c8d-9e0f-112233445566"
_JOB = {
    "id": f"ranking-{_REVIEW_ID}",
    "kind": "ranking",
    "state": "parked",
    "review_id": _REVIEW_ID,
    "target_id": _REVIEW_ID,
    "since": "2026-11-23T09:30:00Z",
    "attempts": 5,
    "worker": "worker-1:4711",
    "cause": "The worker fell silent: it was killed, ran out of memory, or was cut off.",
    "next_try_at": None,
}
_METRICS = """# HELP tandem_reviews_stale Reviews whose newest ranking does not count every change.
# TYPE tandem_reviews_stale gauge
tandem_reviews_stale 1.0
# HELP tandem_jobs Background work that is not done, by kind and state.
# TYPE tandem_jobs gauge
tandem_jobs{kind="ranking",state="parked"} 1.0
"""

REQUESTS: dict[str, Any] = {}

ANSWERS: dict[str, Any] = {
    "list_jobs": {JSON: {"items": [_JOB], "next_cursor": None}},
    "retry_job": {JSON: {"id": _JOB["id"], "state": "queued"}},
    "read_metrics": {"text/plain": _METRICS},
}
