"""The table of ids in README.md, made from the registry: `python -m studies.analysis.readme` writes it in place."""

from pathlib import Path

from studies.analysis.registry import REGISTRY

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- ids: made from registry.py -->", "<!-- end of ids -->"


def with_ids(text: str) -> str:
    """The README with its table of ids as the registry has it now. Raises ValueError without the two marks."""
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"README.md needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{ids()}\n{END}{after}"


def ids() -> str:
    """One row per id: what it is, and from whom."""
    rows = [f"| `{d.id}` | {_cell(d.definition)} | {_cell(d.reference)} |" for d in REGISTRY]
    return "\n".join(["| id | definition | reference |", "|---|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    README.write_text(with_ids(README.read_text(encoding="utf-8")), encoding="utf-8")
