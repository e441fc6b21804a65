"""What is wrong with a value, in words for people who do not know what this is written in.

The validation speaks of dictionaries, instances and classes. Its messages are reworded here, by
their kind; any other message that would show internals is replaced.
"""

import re
from collections.abc import Mapping
from typing import Any

_OBJECT = "should be an object: fields with values, in braces"
_LIST = "should be a list, in brackets"
_TEXT = "should be a text"
_DATE = "should be a date, such as 2027-01-31"
_TIME = "should be a time with its offset, such as 2027-01-31T12:00:00Z"
_NUMBER = "should be a number"
_WHOLE = "should be a whole number"
_TRUTH = "should be true or false"

_MESSAGES: dict[str, str] = {
    "missing": "is needed here",
    "extra_forbidden": "is not known here: is it misspelt, or does it belong elsewhere?",
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "invalid_key": "should have texts as the names of its fields",
    "none_required": "should be null",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "too_short": "should have at least {min_length}",
    "too_long": "should have at most {max_length}",
    "string_type": _TEXT,
    "string_unicode": "should be a text in valid Unicode",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "should match {pattern}",
    "enum": "should be {expected}",
    "literal_error": "should be {expected}",
    "greater_than": "should be greater than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "finite_number": _NUMBER,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "should be a whole number with fewer digits",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "datetime_from_date_parsing": _TIME,
    "timezone_aware": _TIME,
    "uuid_type": "should be an id",
    "uuid_parsing": "should be an id",
    "bytes_type": _TEXT,
    "json_type": "should be JSON",
}

_FILE = "should be a file: a part of the form that has a filename"
_OF_UPLOADS = "Expected UploadFile"
"""How the framework's words for a form's part without a filename begin."""

INSIDE = re.compile(
    r"<class|<[\w.]+ object|\bNone(Type)?\b|\b(frozen|Ordered)?[Dd]ict(ionary)?\b|\bbytes\b"
    r"|\bbytearray\b"
    r"|\btuple\b|\bdeque\b|\bfrozenset\b|\binstance\b|\bsubclass\b|\bcallable\b|\biterable\b"
    r"|[Pp]ydantic|[Pp]ython|\bCounter\b|\bUploadFile\b|\bstr\b|\bint\b|timedelta|sentinel"
    r"|\bError\b|validator|[Aa]ttribute|[Aa]rgument|Traceback"
)
"""Words of the inside, which say nothing to people."""

_UNKNOWN = "is not acceptable here"

_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")
"""How Python writes a member of an enumeration; people are shown its value."""


def message(found: Mapping[str, Any]) -> str:
    """Say what is wrong with a value, to be read behind the name of its field.

    Args:
        found: One error of a validation, with its `type`, `msg` and `ctx`.
    """
    kind, text = str(found["type"]), str(found["msg"])
    context = {name: _plain(value) for name, value in (found.get("ctx") or {}).items()}
    if kind in ("too_short", "string_too_short") and context.get("min_length") == 1:
        return "should not be empty"
    if kind in _MESSAGES:
        return _MEMBER.sub(r"\1", _MESSAGES[kind].format_map(context))
    text = _MEMBER.sub(r"\1", text.removeprefix("Value error, "))
    if text.startswith(_OF_UPLOADS):
        return _FILE
    return _UNKNOWN if INSIDE.search(text) else text


def _plain(value: Any) -> Any:
    """Write whole numbers without a fraction: 1 for 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
