"""`tandem config`: every variable with its meaning, default and present value."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tandem.installation.redaction import redact

if TYPE_CHECKING:
    from tandem.config import Settings

_BESIDES = {
    "TANDEM_URL": "Address of the service, for commands that are its clients (import, export, "
    "verify); unset: what runs on this machine in data_dir.",
    "TANDEM_TOKEN": "Access token of those commands; `tandem token add` makes one.",
    "TANDEM_DEBUG": "1: failing commands show where, as with --debug.",
}
_SECRET = frozenset({"TANDEM_TOKEN"})


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable as people see it: `value` and `default` are texts without secrets."""

    name: str
    value: str
    default: str
    meaning: str
    is_set: bool

    def __str__(self) -> str:
        origin = f"set; default: {self.default or 'none'}" if self.is_set else "default"
        return f"{self.name}={self.value}\n    {self.meaning} [{origin}]"


def variables(settings: "Settings") -> Iterator[Variable]:
    """List the settings in their own order, then what only the command line reads."""
    resolved = {
        "database_url": settings.resolved_database_url(),
        "redis_url": settings.resolved_redis_url(),
        "artifact_url": settings.resolved_artifact_url(),
    }
    for field, about in type(settings).model_fields.items():
        name = f"TANDEM_{field.upper()}"
        value = getattr(settings, field)
        default = about.get_default(call_default_factory=True, validated_data={})
        yield Variable(
            name=name,
            value=_text(resolved.get(field) if value is None else value),
            default=_text(default),
            meaning=about.description or "",
            is_set=field in settings.model_fields_set,
        )
    for name, meaning in _BESIDES.items():
        value = os.environ.get(name, "")
        shown = "***" if name in _SECRET and value else redact(value)
        yield Variable(name=name, value=shown, default="", meaning=meaning, is_set=bool(value))


def _text(value: object) -> str:
    return "" if value is None else redact(str(value))
