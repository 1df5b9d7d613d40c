"""What a report is made of, as plain data for the template: sections of sentences, tables, pictures, explanations."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from studies.analysis.canvas import Picture
from studies.analysis.registry import BY_ID


@dataclass(frozen=True)
class Table:
    """A table: the first cell of a row names it; columns without a single word in them are dropped.

    groups: headings over several columns, (text, number of columns). strong: rows that are set in bold.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    groups: Sequence[tuple[str, int]] = ()
    note: str = ""
    strong: frozenset[int] = frozenset()
    is_folded: bool = False
    kind: str = "table"

    def shown(self) -> "Table":
        """The table without its empty columns."""
        used = [i for i in range(len(self.columns)) if i == 0 or self.groups or any(row[i] for row in self.rows)]
        columns, rows = [self.columns[i] for i in used], [[row[i] for i in used] for row in self.rows]
        return Table(self.caption, columns, rows, self.groups, self.note, self.strong, self.is_folded)


@dataclass(frozen=True)
class Pictures:
    """One picture, or several side by side, with a caption."""

    pictures: Sequence[Picture]
    caption: str
    kind: str = "pictures"

    def sources(self) -> list[tuple[str, Picture]]:
        """Each picture as a data URI."""
        return [(f"data:image/svg+xml;base64,{b64encode(p.svg.encode()).decode()}", p) for p in self.pictures]


@dataclass(frozen=True)
class How:
    """How some figures were computed: for each id its definition and reference; `more` are paragraphs before them."""

    ids: Sequence[str]
    more: Sequence[str] = ()
    kind: str = "how"

    def items(self) -> list[tuple[str, str, str, str]]:
        """Title, id, definition, reference."""
        found = [BY_ID[id] for id in self.ids]
        return [(d.title, d.id, f"{d.definition[0].upper()}{d.definition[1:]}.", d.reference) for d in found]


Block = Table | Pictures | How


@dataclass(frozen=True)
class Section:
    """One part of the report; `anchor` is its id in the page."""

    anchor: str
    title: str
    sentences: Sequence[str]
    blocks: Sequence[Block]
