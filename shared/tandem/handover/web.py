"""A document as one HTML page without scripts, styles or addresses; every text is escaped. Pure."""

from collections.abc import Sequence
from html import escape

from tandem.handover.document import Block, Bullets, Document, Heading, Paragraph, Table, ToAdd


def html(document: Document) -> str:
    """Return the document as a page."""
    title = escape(document.title)
    body = "\n".join([f"<h1>{title}</h1>", *map(_block, document.blocks)])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p>{escape(block.text)}</p>"
        case ToAdd():
            return f"<p><strong>{escape(block.sentence)}</strong></p>"
        case Bullets():
            items = "".join(f"<li>{escape(item)}</li>" for item in block.items)
            return f"<ul>{items}</ul>"
        case Table():
            return _table(block)


def _table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    rows = "\n".join(row(cells, "td") for cells in table.rows)
    return f"<table>\n<thead>{row(table.header, 'th')}</thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
