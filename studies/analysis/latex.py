"""The report's tables as LaTeX with booktabs, ready for \\input: one `table` each, long ones as `longtable`."""

import re
from collections.abc import Iterator, Sequence

from studies.analysis.blocks import Section, Table

LONG = 40  # rows; more do not stand on a page
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "−": "$-$", "–": "--", "—": "---", "…": r"\ldots{}", "→": r"$\to$",
    "≥": r"$\geq$", "≤": r"$\leq$", "≠": r"$\neq$", "×": r"$\times$", "±": r"$\pm$", "·": r"$\cdot$", "Σ": r"$\Sigma$",
    "²": r"\textsuperscript{2}", "½": r"\textonehalf{}", "\N{NARROW NO-BREAK SPACE}": r"\,", "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip
EVERY = re.compile("|".join(map(re.escape, SPECIAL)))
AT_MOST_THE_LINE = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%"
HEAD = """% The tables of the report, one after the other. In the preamble:
%   \\usepackage[T1]{fontenc} \\usepackage[utf8]{inputenc} \\usepackage{textcomp,booktabs,longtable,graphicx}
% Each has a label, tab:section-number, and is set at the width of the text where it is wider.
"""


def tables(sections: Sequence[Section]) -> str:
    """Every table of the sections, folded ones too."""
    made = [
        _table(block.shown(), f"{section.anchor}-{number}")
        for section in sections
        for number, block in enumerate(section.blocks, start=1)
        if isinstance(block, Table) and block.rows
    ]
    return HEAD + "\n" + "\n".join(made)


def escape(text: str) -> str:
    """Text that LaTeX sets as it is; control characters are spaces."""
    clean = "".join(character if character.isprintable() or character in SPECIAL else " " for character in text)
    return EVERY.sub(lambda found: SPECIAL[found[0]], clean)


def _table(table: Table, label: str) -> str:
    columns = "l" + "r" * (len(table.columns) - 1)
    caption = f"\\caption{{{escape(table.caption)}.{_note(table)}}}\\label{{tab:{label}}}"
    heads, rows = list(_heads(table)), list(_rows(table))
    body = [*rows, "\\bottomrule"]
    top = ["\\toprule", *heads, *(["\\midrule"] if heads else [])]
    if len(rows) > LONG:
        start = [f"\\begin{{longtable}}{{{columns}}}", f"{caption}\\\\"]
        return "\n".join([*start, *top, "\\endhead", *body, "\\end{longtable}", ""])
    start = ["\\begin{table}[htbp]", "\\centering", caption, "\\small", AT_MOST_THE_LINE]
    start.append(f"\\begin{{tabular}}{{{columns}}}")
    return "\n".join([*start, *top, *body, "\\end{tabular}}", "\\end{table}", ""])


def _note(table: Table) -> str:
    return f" {escape(table.note)}" if table.note else ""


def _heads(table: Table) -> Iterator[str]:
    if table.groups:
        cells, rules, place = [], [], 1
        for text, span in table.groups:
            cells.append(f"\\multicolumn{{{span}}}{{c}}{{{escape(text)}}}")
            if text:
                rules.append(f"\\cmidrule(lr){{{place}-{place + span - 1}}}")
            place += span
        yield f"{' & '.join(cells)} \\\\"
        yield " ".join(rules)
    if any(table.columns):
        yield f"{' & '.join(map(escape, table.columns))} \\\\"


def _rows(table: Table) -> Iterator[str]:
    for number, row in enumerate(table.rows):
        cells = [escape(cell) for cell in row]
        if number in table.strong:
            cells = [f"\\textbf{{{cell}}}" if cell else "" for cell in cells]
        yield f"{' & '.join(cells)} \\\\"
