"""Examples of bodies, put together from those of their fields."""

from typing import Any

_TIME = "2026-11-23T09:30:00Z"
_DAY = "2026-11-23"

Schema = dict[str, Any]
Schemas = dict[str, Schema]


class NoExample(LookupError):
    """A field says too little for anybody to know what stands in it: give it `examples`."""


def example_of(schema: Schema, schemas: Schemas, *, sent: bool = False) -> Any:
    """Return an example of what this schema describes.

    A field's own `examples` come first, then its default. What may be null is null without one; a
    time, a number, a flag and a word of a closed set need none.

    Args:
        schema: Of a body or of a part of it.
        schemas: Those that it refers to, by name.
        sent: Leave out what may be left out of a request and has no example.
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, sent=sent)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("default") is not None:
        return schema["default"]
    options = schema.get("anyOf", schema.get("oneOf"))
    if options is not None:
        return _of_first(options, schemas, sent=sent)
    return _of_type(schema, schemas, sent=sent)


def _of_first(options: list[Schema], schemas: Schemas, *, sent: bool) -> Any:
    may_be_null = {"type": "null"} in options
    for option in options:
        says_more = bool({"$ref", "examples", "items", "additionalProperties"} & option.keys())
        if option != {"type": "null"} and (says_more or not may_be_null):
            return example_of(option, schemas, sent=sent)
    return None


def _of_type(schema: Schema, schemas: Schemas, *, sent: bool) -> Any:
    match schema.get("type"):
        case "object":
            return _of_object(schema, schemas, sent=sent)
        case "array":
            items = schema.get("items", {})
            return [example_of(items, schemas, sent=sent)] if items else []
        case "boolean":
            return False
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "number":
            return 0.5
        case "string" if schema.get("format") in ("date-time", "date"):
            return _TIME if schema["format"] == "date-time" else _DAY
    raise NoExample(f"There is no example of {schema}.")


def _of_object(schema: Schema, schemas: Schemas, *, sent: bool) -> Any:
    fields = schema.get("properties", {})
    if not fields and isinstance(values := schema.get("additionalProperties"), dict):
        name = example_of(schema.get("propertyNames", {"const": "name"}), schemas)
        return {name: example_of(values, schemas, sent=sent)}
    required = schema.get("required", ())
    return {
        name: example_of(field, schemas, sent=sent)
        for name, field in fields.items()
        if not sent or name in required or "examples" in field
    }
