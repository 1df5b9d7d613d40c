"""The report as Markdown: the same sentences, tables and explanations; pictures are files of their own."""

import re
from collections.abc import Iterator, Mapping, Sequence

from studies.analysis.blocks import Block, How, Pictures, Section, Table
from studies.analysis.canvas import Picture

MARKS = re.compile(r"([\\`*_{}\[\]<>#|])")


def report(
    *,
    title: str,
    lead: Sequence[str],
    big: Sequence[tuple[str, str, str]],
    sections: Sequence[Section],
    files: Mapping[str, Picture],
) -> str:
    """`big` are condition, accuracy and interval; `files` the pictures by path, as the text should link to them."""
    names = {id(picture): name for name, picture in files.items()}
    parts = [f"# {escape(title)}", *map(escape, lead), *_table(("", "Right answers", "95 % interval"), big)]
    for section in sections:
        parts += [f"## {escape(section.title)}", *map(escape, section.sentences)]
        for block in section.blocks:
            parts += _block(block, names)
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """What people typed stays text: marks are escaped, and lines are joined."""
    return MARKS.sub(r"\\\1", text.replace("\r", " ").replace("\n", " "))


def _block(block: Block, names: Mapping[int, str]) -> Iterator[str]:
    if isinstance(block, Table):
        shown = block.shown()
        yield f"### {escape(block.caption)}"
        yield from _table(_columns(shown), shown.rows, strong=shown.strong)
        if block.note:
            yield escape(block.note)
    elif isinstance(block, Pictures):
        for picture in block.pictures:
            yield f"![{escape(picture.alt)}]({names[id(picture)]})"
        yield escape(block.caption)
    else:
        yield from _how(block)


def _how(block: How) -> Iterator[str]:
    yield "### How this was computed"
    yield from map(escape, block.more)
    lines = []
    for title, figure, definition, reference in block.items():
        source = f" {reference[0].upper()}{reference[1:]}." if reference else ""
        lines.append(f"- **{escape(title)}** (`{figure}`): {escape(definition + source)}")
    yield "\n".join(lines)


def _columns(table: Table) -> list[str]:
    """Markdown has one row of headings: those over several columns stand before each of theirs."""
    above = [text for text, span in table.groups for _ in range(span)] or [""] * len(table.columns)
    return [": ".join(filter(None, pair)) for pair in zip(above, table.columns, strict=True)]


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, strong: frozenset[int] = frozenset()
) -> Iterator[str]:
    if not rows:
        return
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1)]
    lines[0] = [escape(name) for name in columns]
    for number, row in enumerate(rows):
        cells = [escape(cell) for cell in row]
        lines.append([f"**{cell}**" if cell and number in strong else cell for cell in cells])
    yield "\n".join(f"| {' | '.join(line)} |" for line in lines)
