"""A document as Markdown. Texts of users stand as they are written, and format nothing. Pure."""

import re
from collections.abc import Sequence

from tandem.handover.document import Block, Bullets, Document, Heading, Paragraph, Table, ToAdd

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")
_AT_START = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s)")


def markdown(document: Document) -> str:
    """Return the document as CommonMark with tables."""
    parts = [f"# {_plain(document.title)}", *map(_block, document.blocks)]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_plain(block.text)}"
        case Paragraph():
            return _plain(block.text)
        case ToAdd():
            return f"**{_plain(block.sentence)}**"
        case Bullets():
            return "\n".join(f"- {_plain(item)}" for item in block.items)
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(map(_plain, cells))} |"

    rule = f"|{'---|' * len(table.header)}"
    return "\n".join([line(table.header), rule, *map(line, table.rows)])


def _plain(text: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return _AT_START.sub(r"\1\\\2", escaped)
