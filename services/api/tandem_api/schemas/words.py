"""Closed sets of words that answers use and that are no enumerations in Python.

Each has a name in the OpenAPI document. An answer is not checked against them: it is made of what
the database has, and tests hold the two together.
"""

from collections.abc import Iterable
from typing import Annotated, Literal, get_args

from pydantic import WithJsonSchema
from typing_extensions import TypeAliasType

from tandem.records.formats.reading import Format
from tandem.screening.full_text.models import RetrievalState
from tandem.screening.models import ConflictState
from tandem.screening.rules import Status, Verdict
from tandem.webhooks.deliveries import TEST_TYPE
from tandem.webhooks.endpoints import known_types
from tandem_api.problems import FAILURES

FRAMEWORK_CODES: dict[int, str] = {
    400: "bad_request",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
}
"""Codes of what the framework refuses, whatever the route."""

OTHER_CODE = "http_error"

StatusFilter = Literal["unscreened", "awaiting", "conflict", "included", "excluded", "done"]
"""The status of a record as somebody may see it."""


def _one_of(*sets: Iterable[str]) -> WithJsonSchema:
    words = list(dict.fromkeys(str(word) for words in sets for word in words))
    return WithJsonSchema({"type": "string", "enum": words})


_CODES = [*FRAMEWORK_CODES.values(), OTHER_CODE, *(code for of in FAILURES.values() for code in of)]
_TYPES = sorted(known_types())

DeliveryType = TypeAliasType("DeliveryType", Annotated[str, _one_of(_TYPES, [TEST_TYPE])])
ErrorCode = TypeAliasType("ErrorCode", Annotated[str, _one_of(sorted(_CODES))])
EventType = TypeAliasType("EventType", Annotated[str, _one_of(_TYPES)])
HappeningState = TypeAliasType(
    "HappeningState", Annotated[str, _one_of(Verdict, Status, ConflictState, RetrievalState)]
)
ImportFormat = TypeAliasType("ImportFormat", Annotated[str, _one_of(get_args(Format))])
RankingKind = TypeAliasType("RankingKind", Annotated[str, _one_of(["model", "text", "random"])])
ShownStatus = TypeAliasType("ShownStatus", Annotated[str, _one_of(get_args(StatusFilter))])
