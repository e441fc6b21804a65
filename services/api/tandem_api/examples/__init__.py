"""Examples for the OpenAPI document, one module for each slice."""

from tandem_api.examples import (
    accounts,
    agreement,
    audit,
    conflicts,
    criteria,
    operations,
    people,
    screening,
    webhooks,
)
from tandem_api.examples.screening import FAILURES, JSON, NOT_READY

_SLICES = (accounts, screening, criteria, conflicts, agreement, people, audit, webhooks, operations)

REQUESTS = {key: value for part in _SLICES for key, value in part.REQUESTS.items()}
ANSWERS = {key: value for part in _SLICES for key, value in part.ANSWERS.items()}

__all__ = ["ANSWERS", "FAILURES", "JSON", "NOT_READY", "REQUESTS"]
