"""A short document as headings, paragraphs, lists and tables; three writers print it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """`level`: 2 or 3; the document's title is the only one of level 1."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class ToAdd:
    """What Tandem does not know, and the team writes."""

    text: str

    @property
    def sentence(self) -> str:
        return f"The team adds: {self.text}"


@dataclass(frozen=True, slots=True)
class Bullets:
    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


Block = Heading | Paragraph | ToAdd | Bullets | Table


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    blocks: Sequence[Block]
