"""Write the parts of docs/ that are made from the code: `make openapi`.

docs/openapi.json and docs/asyncapi.yaml as a whole, and the tables between two comments
`<!-- NAME: made by make openapi -->` and `<!-- end of NAME -->` in the pages for people.
"""

import re
from pathlib import Path
from typing import get_args

import flow_example
from tandem.config import Settings
from tandem.reviews.policy import DEFAULT, Policy, Stage
from tandem_api import asyncapi
from tandem_api.app import create_app
from tandem_api.openapi import as_text

DOCS = Path(__file__).parents[1] / "docs"


def policy_table() -> str:
    """Return the fields of a policy as a table of Markdown."""
    lines = ["| field | values | default | |", "|---|---|---|---|"]
    for name, field in Policy.model_fields.items():
        values = ", ".join(_code(value) for value in get_args(field.annotation) or (True, False))
        default = _code(getattr(DEFAULT[Stage.TITLE_ABSTRACT], name))
        other = _code(getattr(DEFAULT[Stage.FULL_TEXT], name))
        if other != default:
            default += f" ({other} at full text)"
        lines.append(f"| `{name}` | {values} | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _code(value: object) -> str:
    return f"`{str(value).lower()}`"


TABLES = {
    "two-reviewers.md": {"policy": policy_table},
    "events.md": {"types": asyncapi.as_table, "progress": asyncapi.as_table_by_the_way},
}


def documents() -> dict[Path, str]:
    """Return what each of these files has to contain."""
    made = {
        DOCS / "openapi.json": as_text(create_app(Settings()).openapi()),
        DOCS / "asyncapi.yaml": asyncapi.as_yaml(),
        DOCS / "pictures" / "flow.svg": flow_example.picture(),
    }
    for name, tables in TABLES.items():
        text = (DOCS / name).read_text("utf-8")
        for table, make in tables.items():
            text = _with_table(text, table, make())
        made[DOCS / name] = text
    return made


def _with_table(text: str, name: str, table: str) -> str:
    begin, end = f"<!-- {name}: made by make openapi -->\n", f"<!-- end of {name} -->\n"
    parts = re.fullmatch(f"(.*{re.escape(begin)}).*?({re.escape(end)}.*)", text, re.DOTALL)
    if parts is None:
        raise ValueError(f"A page of docs/ lacks the two comments around its table `{name}`.")
    return parts[1] + table + parts[2]


if __name__ == "__main__":
    for file, content in documents().items():
        file.write_text(content, "utf-8")
