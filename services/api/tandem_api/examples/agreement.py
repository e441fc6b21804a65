"""Examples for agreement, second looks and the record of a reviewer."""

from typing import Any

from tandem_api.examples.screening import ANN, BEN, JSON, RECORD

_TIME = "2026-11-23T09:30:00Z"
_PLOT = (
    "/api/v1/reviews/6f1c2d3e-5a4b-4c8d-9e0f-112233445566/plots/agreement.svg"
    "?stage=title_abstract&on=all"
)


def _figure(value: float, low: float, high: float) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high}


_FIGURES = {
    "n": 671,
    "n_records": 671,
    "table": {"a": 41, "b": 12, "c": 9, "d": 609},
    "prevalence": _figure(0.077, 0.057, 0.095),
    "percent": _figure(0.969, 0.953, 0.981),
    "kappa": _figure(0.779, 0.680, 0.861),
    "pabak": _figure(0.937, 0.905, 0.961),
    "ac1": _figure(0.964, 0.947, 0.978),
    "alpha": _figure(0.779, 0.680, 0.861),
    "positive_agreement": _figure(0.796, 0.693, 0.874),
    "negative_agreement": _figure(0.983, 0.974, 0.990),
    "note": None,
}
_COMPARED = {**_FIGURES, "n_informed": 0, "n_maybe": 7, "independent": _FIGURES}
_AGREEMENT = {
    "stage": "title_abstract",
    "on": "all",
    "basis": "first_decisions",
    "n_readers": 2,
    "n_hidden": 0,
    "overall": _COMPARED,
    "by_month": [{"month": "2026-11", "agreement": _COMPARED}],
    "pairs": [
        {
            "first": {"user_id": ANN, "name": "Ann Lee"},
            "second": {"user_id": BEN, "name": "Ben Okafor"},
            "agreement": _COMPARED,
        }
    ],
    "intervals": {"level": 0.95, "n_resamples": 2000},
    "plot": _PLOT,
}
_SECOND_LOOKS = {
    "state": "ready",
    "model": "tandem-1",
    "labels_seq": 1342,
    "is_stale": False,
    "n_scored": 609,
    "seconds": 1.4,
    "made_at": _TIME,
    "items": [
        {
            "record": {**RECORD, "status": "excluded", "my_decision": None},
            "n_decisions": 2,
            "likeness": 0.982,
        }
    ],
    "next_cursor": None,
}


def _share(n: int, of: int, value: float, low: float, high: float) -> dict[str, Any]:
    return {"n": n, "of": of, **_figure(value, low, high)}


_REVIEWER = {
    "user_id": ANN,
    "name": "Ann Lee",
    "stage": "title_abstract",
    "n_read": 671,
    "n_decisions": 677,
    "n_hidden": 0,
    "median_seconds": 14.2,
    "includes": _share(53, 671, 0.079, 0.060, 0.102),
    "changed": _share(6, 671, 0.009, 0.003, 0.019),
    "by_week": [
        {"monday": "2026-11-16", "n_read": 671, "include_share": 0.079, "median_seconds": 14.2}
    ],
    "drift": {
        "what": "include_share_change_all",
        "value": -0.063,
        "low": -0.101,
        "high": -0.015,
        "n_recent": 200,
        "n_before": 471,
        "note": "All records, the likely ones first: the share of includes falls by design, and "
        "a fall is no sign of drift. A rise may be one.",
    },
    "against_outcome": {
        "missed_of_excludes": _share(4, 618, 0.006, 0.002, 0.016),
        "missed_of_included": _share(4, 49, 0.082, 0.023, 0.196),
        "overruled_includes": _share(8, 53, 0.151, 0.068, 0.276),
        "informed": _share(3, 671, 0.004, 0.001, 0.013),
    },
}

REQUESTS: dict[str, Any] = {}
ANSWERS: dict[str, dict[str, Any]] = {
    "get_agreement": {JSON: _AGREEMENT},
    "plot_agreement": {
        "image/svg+xml": '<svg role="img" aria-labelledby="title description">'
        '<title id="title">Agreement of first decisions, all records</title></svg>'
    },
    "list_second_looks": {JSON: _SECOND_LOOKS},
    "ask_for_second_looks": {JSON: {"state": "asked"}},
    "get_reviewer_record": {JSON: _REVIEWER},
}
